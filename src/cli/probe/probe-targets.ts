import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { EdgeQuicSettings } from '../../edge/uplink/edge-transport.ts';
import type { TunnelSettings } from '../../edge/config/tunnel-config.ts';
import { quicSchema } from '../../config/schema-parts.ts';
import { AppError } from '../../lib/app-error.ts';
import { formatHostPort, parseHostPort, type HostPort } from '../../lib/host-port.ts';
import { parsePin } from '../../lib/pin.ts';
import type { ProbeTarget } from '../../probe/probe-relay.ts';
import { loadEdgeConfig } from '../load-edge-config.ts';
import { refuseOthersConfig } from '../program-of-config.ts';

export interface ProbeFlags {
  readonly config?: string;
  readonly pin?: string;
  readonly ca?: string;
}

export type WantedRelay = Omit<ProbeTarget, 'durationMs'>;

/** What is to be probed: the relay that was named, or those of an edge's config. Rejects with AppError. */
export async function probeTargets(relay: string | undefined, flags: ProbeFlags): Promise<readonly WantedRelay[]> {
  const { config, pin, ca } = flags;
  if (config === undefined) return [await namedRelay(relay, flags)];
  if (relay !== undefined || pin !== undefined || ca !== undefined) {
    throw new AppError('config-invalid', '--config names the relays and their proofs; give nothing else of it');
  }
  await refuseOthersConfig(config, 'edge');
  const { config: edge } = await loadEdgeConfig(config);
  const wanted = await Promise.all(edge.tunnels.filter(({ enabled }) => enabled).map((tunnel) => relaysOf(tunnel)));
  const targets = new Map(wanted.flat().map((target) => [JSON.stringify(target), { ...target, quic: edge.quic }]));
  if (targets.size === 0) throw new AppError('config-invalid', `${config} has no tunnel that is enabled, so no relay`);
  return [...targets.values()];
}

async function namedRelay(text: string | undefined, flags: ProbeFlags): Promise<WantedRelay> {
  const relay = text === undefined ? null : parseHostPort(text);
  const problems = [...relayProblems(text, relay), ...proofProblems(relay, flags)];
  if (relay === null || problems.length > 0) throw new AppError('config-invalid', problems.join('\n'));
  return { relay, verify: await verificationOf(relay, flags), quic: defaultQuic() };
}

function relayProblems(text: string | undefined, relay: HostPort | null): string[] {
  if (text === undefined) return ['name a relay, such as relay.example:4433, or give --config'];
  return relay === null || relay.port === 0 ? [`${text}: must be host:port or [ipv6]:port`] : [];
}

function proofProblems(relay: HostPort | null, { pin, ca }: ProbeFlags): string[] {
  const isAddress = relay !== null && isIP(relay.host) !== 0;
  return [
    ...(pin === undefined || parsePin(pin) !== null
      ? []
      : ['--pin: must be a SHA-256: 64 hex digits, or sha256/BASE64']),
    ...(pin === undefined || ca === undefined ? [] : ['--pin and --ca: give one of them']),
    ...(ca !== undefined && isAddress ? ['--ca: vouches for a host name, and this is an address; use --pin'] : []),
  ];
}

async function verificationOf(relay: HostPort, { pin, ca }: ProbeFlags): Promise<ProbeTarget['verify']> {
  const sha256 = pin === undefined ? null : parsePin(pin);
  if (sha256 !== null) return { kind: 'fingerprint', sha256 };
  return ca === undefined ? { kind: 'none' } : caOf(ca, relay);
}

/** Those of an edge without `quic` in its config. */
function defaultQuic(): EdgeQuicSettings {
  const { max_udp_payload: maxUdpPayload, idle_timeout_secs: idle, keep_alive_secs: keepAlive } = quicSchema.parse({});
  return { maxUdpPayload, idleTimeoutMs: idle * 1000, keepAliveMs: keepAlive * 1000 };
}

async function relaysOf(tunnel: TunnelSettings): Promise<readonly Omit<WantedRelay, 'quic'>[]> {
  const { verifications, relays } = tunnel;
  return Promise.all(
    relays.map(async (relay, index) => {
      const verification = verifications[index];
      if (verification?.kind === 'ca') return { relay, verify: await caOf(verification.path, relay) };
      const [sha256, ...otherPins] = verification?.kind === 'fingerprint' ? verification.sha256 : [];
      if (sha256 === undefined) return { relay, verify: { kind: 'none' as const } };
      return { relay, verify: { kind: 'fingerprint' as const, sha256 }, otherPins };
    }),
  );
}

async function caOf(path: string, relay: HostPort): Promise<ProbeTarget['verify']> {
  try {
    return { kind: 'ca', caPem: await readFile(path, 'utf8'), host: relay.host };
  } catch (cause) {
    throw new AppError('config-invalid', `cannot read ${path}, the CA for ${formatHostPort(relay)}`, { cause });
  }
}
