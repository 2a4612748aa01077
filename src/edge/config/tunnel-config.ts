import { resolve } from 'node:path';
import { isIP } from 'node:net';
import { z } from 'zod';
import { formatHostPort, parseHostPort, type HostPort } from '../../lib/host-port.ts';
import { anyText, choice, flag, hex64, shown, text } from '../../config/schema-parts.ts';
import { asJsonObject } from '../../lib/json.ts';
import { parsePin } from '../../lib/pin.ts';
import { DIRECTIONS, TUNNEL_PROTOCOLS, type Direction, type TunnelProtocol } from '../../protocol/tunnel/leg.ts';
import { parseTunnelId, type TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { ConfiguredVerification } from '../../quic/peer-verification.ts';

/** One tunnel of an edge, checked (docs/protocol/tunnel.md §8). */
export interface TunnelSettings {
  readonly id: TunnelId;
  readonly name: string;
  readonly enabled: boolean;
  readonly protocol: TunnelProtocol;
  readonly direction: Direction;
  /** Egress listens here (an IP literal, port 0: any), ingress forwards there. Of no use where `endsInFlow`. */
  readonly localAddr: HostPort;
  /** A media flow of this edge takes the place of local programs. */
  readonly endsInFlow: boolean;
  /** One or two, the primary first. */
  readonly relays: readonly HostPort[];
  /** One for each relay, all of one kind; `none` is how existing edges connect. */
  readonly verifications: readonly ConfiguredVerification[];
  /** 64 hex digits. */
  readonly encryptionKey: string;
  /** 64 hex digits as they were written, because the text is the key; null binds without authorisation. */
  readonly bindSecret: string | null;
  readonly requireBindProof: boolean;
}

/** What a tunnel entry inherits from the file around it. */
export interface TunnelContext {
  /** Relative paths start here. */
  readonly directory: string;
  readonly requireBindProof: boolean;
}

/** In `local_addr`: a media flow of this edge is the local end. */
const endsInFlow = 'flow';

const ipPort = anyText('ip:port, such as "127.0.0.1:9000"').transform((text, context) => {
  if (text === endsInFlow) return endsInFlow;
  const address = parseHostPort(text);
  if (address?.host.toLowerCase() === 'localhost') return { ...address, host: '127.0.0.1' };
  if (address !== null) return address;
  const message = `is not ip:port or [ipv6]:port but ${shown(text)}; write for example "127.0.0.1:9000"`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});
const relayAddr = anyText().transform((text, context) => {
  const address = parseHostPort(text);
  if (address !== null && address.port !== 0) return address;
  const message = `is not host:port but ${shown(text)}; write for example "relay.example:4433"`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});
const pin = anyText().transform((text, context) => {
  const hex = parsePin(text);
  if (hex !== null) return hex;
  const message = 'is not a SHA-256; copy the certificate_sha256 or the key_pin that the relay logs when it starts';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});
const tunnelId = anyText('a UUID in quotes, the same at both edges').transform((text, context) => {
  const id = parseTunnelId(text);
  if (id !== null) return id;
  context.addIssue({ code: 'custom', message: 'is not a UUID; make one with: adit keygen' });
  return z.NEVER;
});

/** The keys of a tunnel, as they are written. */
export const tunnelFields = z.strictObject({
  id: tunnelId.describe("The tunnel's UUID, the same at both edges."),
  name: text().max(256, { error: 'is longer than 256 characters; shorten it' }).describe('What people call it.'),
  enabled: flag().default(true).describe('false keeps it here without running it.'),
  protocol: choice(TUNNEL_PROTOCOLS).describe('What it carries; the same at both edges.'),
  transport: anyText()
    .default('quic')
    .refine((transport) => transport === 'quic', { error: 'is not supported yet; use "quic", or leave the key out' })
    .describe('Only "quic".'),
  mode: anyText()
    .default('relay')
    .refine((mode) => mode === 'relay', { error: 'is not supported yet; use "relay", or leave the key out' })
    .describe('Only "relay".'),
  direction: choice(DIRECTIONS).describe('egress listens on local_addr, ingress forwards to it; one of each.'),
  local_addr: ipPort.describe(
    'Address and port: egress listens here, ingress forwards there (a name will do); "flow" for a flow here.',
  ),
  relay_addr: relayAddr.optional().describe('One relay, in place of relay_addrs.'),
  relay_addrs: z
    .array(relayAddr)
    .min(1, { error: 'is empty; list one or two host:port, the primary first' })
    .max(2, { error: 'has more than two entries; list one or two host:port, the primary first' })
    .optional()
    .describe('One or two relays as host:port, the primary first.'),
  // For failing back by RTT from a connection of its own; our edge holds both relays at once and needs no such rule.
  max_rtt_failback_increase_ms: z
    .number({ error: 'must be a number of milliseconds, 0 or more' })
    .min(0, { error: 'must be a number of milliseconds, 0 or more' })
    .default(50)
    .describe('Taken for compatibility; has no effect here.'),
  tunnel_encryption_key: hex64.describe('Seals the payload from edge to edge; the same at both.'),
  tunnel_bind_secret: hex64.optional().describe('Proves to the relay that this edge may bind.'),
  require_bind_proof: flag().optional().describe('Never show the bind token itself to a relay.'),
  relay_ca_path: text().optional().describe('PEM of the authority that signed the relay certificate.'),
  relay_fingerprint: z
    .union([pin, z.array(z.union([pin, z.array(pin).min(1)])).min(1)], {
      error:
        'is not a SHA-256 or a list of them; copy the certificate_sha256 or the key_pin that the relay logs when ' +
        'it starts',
    })
    .optional()
    .describe(
      "SHA-256 of the relay's certificate, or sha256/BASE64 of its key; a list: one for each relay, or several.",
    ),
});

type TunnelFields = z.output<typeof tunnelFields>;

type AddProblem = (key: string, message: string) => void;

/** An ingress edge looks a name up whenever it forwards; to listen takes an address of this machine. */
function listensOnAddress({ direction, local_addr: local }: TunnelFields): boolean {
  return direction !== 'egress' || local === endsInFlow || isIP(local.host) !== 0;
}

/** Checked beside other problems of the entry, unless one of the two keys is itself wrong. */
const namedListener = {
  path: ['local_addr'],
  error: ({ input }: { readonly input?: unknown }): string => {
    const { local_addr: local } = listener.parse(input);
    const host = local === endsInFlow ? endsInFlow : local.host;
    return `names the host ${shown(host)}; an egress edge listens: write an IP address of this machine, or localhost`;
  },
  when: ({ value }: { readonly value: unknown }): boolean => listener.safeParse(value).success,
};
const listener = z.looseObject({
  direction: choice(DIRECTIONS),
  local_addr: z.union([z.literal(endsInFlow), z.looseObject({ host: z.string() })]),
});

/** Checks keys against each other. Runs only on entries whose fields are valid. */
function checkTogether(tunnel: TunnelFields, context: z.RefinementCtx<TunnelFields>): void {
  const problem: AddProblem = (key, message) => context.addIssue({ code: 'custom', path: [key], message });
  const relays = relaysOf(tunnel);
  checkAddresses(tunnel, relays, problem);
  checkVerification(tunnel, relays, problem);
  if (tunnel.require_bind_proof === true && tunnel.tunnel_bind_secret === undefined) {
    problem('require_bind_proof', 'is true without a secret to prove; add tunnel_bind_secret');
  }
}

function checkAddresses(tunnel: TunnelFields, relays: readonly HostPort[], problem: AddProblem): void {
  if (tunnel.relay_addr === undefined && tunnel.relay_addrs === undefined)
    problem('relay_addrs', 'is missing; list one or two host:port, the primary first');
  if (new Set(relays.map(formatHostPort)).size < relays.length)
    problem('relay_addrs', 'names one relay twice; list each once');
  if (tunnel.local_addr === endsInFlow) {
    if (tunnel.protocol !== 'udp') problem('local_addr', 'is "flow", and flows need protocol "udp"');
    return;
  }
  if (tunnel.direction === 'ingress' && tunnel.local_addr.port === 0) {
    problem('local_addr', 'has port 0; name the port that ingress forwards to');
  }
}

function checkVerification(tunnel: TunnelFields, relays: readonly HostPort[], problem: AddProblem): void {
  const { relay_ca_path: caPath, relay_fingerprint: sha256 } = tunnel;
  if (caPath !== undefined && sha256 !== undefined)
    problem('relay_fingerprint', 'cannot stand beside relay_ca_path; keep one of them');
  if (caPath !== undefined && relays.some(({ host }) => isIP(host) !== 0)) {
    problem('relay_ca_path', 'verifies a host name, and relay_addrs has an IP address; use relay_fingerprint');
  }
  if (Array.isArray(sha256) && relays.length > 1 && sha256.length !== relays.length) {
    problem('relay_fingerprint', 'is a list of another length than relay_addrs; write one entry for each relay');
  }
}

/** A tunnel entry. An unknown key is a problem that names the nearest one: a misspelt key would have no effect. */
export function tunnelSchema(context: TunnelContext): z.ZodType<TunnelSettings> {
  return z.preprocess(
    (entry) => {
      // Managers send an absent field as null.
      const fields = asJsonObject(entry);
      return fields === null ? entry : withOneRelayKey(fields);
    },
    tunnelFields
      .refine(listensOnAddress, namedListener)
      .superRefine(checkTogether)
      .transform((tunnel) => toSettings(tunnel, context)),
  );
}

/** Whether `relay_addr` has no effect: a list of relays wins over it, as at field edges, whose managers send both. */
export function hasShadowedRelay({ relay_addr: one, relay_addrs: list }: Readonly<Record<string, unknown>>): boolean {
  return one !== undefined && list !== undefined && !isEmptyList(list);
}

/** An empty list beside `relay_addr` is how a list that is not there is sent. */
function withOneRelayKey(entry: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { relay_addr: one, relay_addrs: list, ...rest } = entry;
  if (hasShadowedRelay(entry)) return { ...rest, relay_addrs: list };
  return one !== undefined && isEmptyList(list) ? { ...rest, relay_addr: one } : entry;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/**
 * Keys of other edges that pin a tunnel to one uplink: without them it would run over another path than the requested
 * one.
 */
const uplinkKeys = ['interface', 'source', 'gateway'] as const;

/** An entry of a manager, which may be newer than this program: `known` is what this program has a key for. */
export interface ManagedEntry {
  readonly known: Readonly<Record<string, unknown>>;
  readonly ignored: readonly string[];
  /** Keys that cannot be ignored, because the tunnel would not do what was requested. */
  readonly refused: readonly string[];
}

export function splitManagedEntry(entry: Readonly<Record<string, unknown>>): ManagedEntry {
  const isKnown = (key: string): boolean => Object.hasOwn(tunnelFields.shape, key);
  const unknown = Object.keys(entry).filter((key) => !isKnown(key));
  const refused = unknown.filter((key) => uplinkKeys.some((uplinkKey) => uplinkKey === key));
  return {
    known: withOneRelayKey(Object.fromEntries(Object.entries(entry).filter(([key]) => isKnown(key)))),
    ignored: [...unknown.filter((key) => !refused.includes(key)), ...(hasShadowedRelay(entry) ? ['relay_addr'] : [])],
    refused,
  };
}

function relaysOf(tunnel: TunnelFields): readonly HostPort[] {
  return tunnel.relay_addrs ?? (tunnel.relay_addr === undefined ? [] : [tunnel.relay_addr]);
}

function toSettings(tunnel: TunnelFields, context: TunnelContext): TunnelSettings {
  const relays = relaysOf(tunnel);
  return {
    id: tunnel.id,
    name: tunnel.name,
    enabled: tunnel.enabled,
    protocol: tunnel.protocol,
    direction: tunnel.direction,
    localAddr: tunnel.local_addr === endsInFlow ? { host: '0.0.0.0', port: 0 } : tunnel.local_addr,
    endsInFlow: tunnel.local_addr === endsInFlow,
    relays,
    verifications: relays.map((_, index) => verificationOf(tunnel, relays.length, index, context)),
    encryptionKey: tunnel.tunnel_encryption_key.toLowerCase(),
    bindSecret: tunnel.tunnel_bind_secret ?? null,
    requireBindProof:
      tunnel.require_bind_proof ?? (context.requireBindProof && tunnel.tunnel_bind_secret !== undefined),
  };
}

function verificationOf(
  tunnel: TunnelFields,
  relays: number,
  index: number,
  context: TunnelContext,
): ConfiguredVerification {
  const { relay_ca_path: path, relay_fingerprint: sha256 } = tunnel;
  if (path !== undefined) return { kind: 'ca', path: resolve(context.directory, path) };
  if (sha256 === undefined) return { kind: 'none' };
  // A list beside one relay can only be what that relay may show; beside two it has an entry for each.
  const pins = typeof sha256 === 'string' || relays === 1 ? sha256 : (sha256[index] ?? []);
  return { kind: 'fingerprint', sha256: [pins].flat(2) };
}
