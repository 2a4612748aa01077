import { resolve } from 'node:path';
import { isIP } from 'node:net';
import { z } from 'zod';
import { formatHostPort, parseHostPort, type HostPort } from '../lib/host-port.ts';
import { isHex64 } from '../protocol/bind-token.ts';
import { asJsonObject } from '../protocol/json.ts';
import { DIRECTIONS, TUNNEL_PROTOCOLS, type Direction, type TunnelProtocol } from '../protocol/leg.ts';
import { parseTunnelId, type TunnelId } from '../protocol/tunnel-id.ts';

/** How the relays of a tunnel prove who they are; `none` is how existing edges connect. */
export type RelayVerification =
  | { readonly kind: 'none' }
  | { readonly kind: 'ca'; readonly path: string }
  /** SHA-256 of the leaf certificate, 64 lower-case hex digits, one for each entry of `relays`. */
  | { readonly kind: 'fingerprint'; readonly sha256: readonly string[] };

/** One tunnel of an edge, checked (wire-protocol.md §8). */
export interface TunnelSettings {
  readonly id: TunnelId;
  readonly name: string;
  readonly enabled: boolean;
  readonly protocol: TunnelProtocol;
  readonly direction: Direction;
  /** An IP literal. Egress listens here (port 0: any), ingress forwards there. */
  readonly localAddr: HostPort;
  /** One or two, the primary first. */
  readonly relays: readonly HostPort[];
  readonly verification: RelayVerification;
  /** 64 hex digits. */
  readonly encryptionKey: string;
  /** 64 hex digits as they were written, because the text is the key; null binds without authorisation. */
  readonly bindSecret: string | null;
  readonly requireBindProof: boolean;
}

/** Where in the input something is wrong, such as `tunnels[0].local_addr`, and what. */
export interface ConfigProblem {
  readonly path: string;
  readonly message: string;
}

/** What a tunnel entry inherits from the file around it. */
export interface TunnelContext {
  /** Relative paths start here. */
  readonly directory: string;
  readonly requireBindProof: boolean;
}

const hex64 = z.string().refine(isHex64, { error: 'must be 64 hex digits' });
const ipPort = z.string().transform((text, context) => {
  const address = parseHostPort(text);
  if (address !== null && isIP(address.host) !== 0) return address;
  context.addIssue({ code: 'custom', message: `must be ip:port or [ipv6]:port, not "${text.slice(0, 80)}"` });
  return z.NEVER;
});
const relayAddr = z.string().transform((text, context) => {
  const address = parseHostPort(text);
  if (address !== null && address.port !== 0) return address;
  context.addIssue({ code: 'custom', message: `must be host:port, not "${text.slice(0, 80)}"` });
  return z.NEVER;
});
const fingerprint = z
  .string()
  .transform((text) => text.replaceAll(':', '').toLowerCase())
  .refine(isHex64, { error: 'must be the SHA-256 of the relay certificate: 64 hex digits, colons allowed' });
const tunnelId = z.string().transform((text, context) => {
  const id = parseTunnelId(text);
  if (id !== null) return id;
  context.addIssue({ code: 'custom', message: 'must be a UUID' });
  return z.NEVER;
});

const fields = z.object({
  id: tunnelId,
  name: z.string().min(1).max(256),
  enabled: z.boolean().default(true),
  protocol: z.enum(TUNNEL_PROTOCOLS),
  transport: z
    .string()
    .default('quic')
    .refine((transport) => transport === 'quic', { error: 'only "quic" is supported; "udp" is not supported yet' }),
  mode: z
    .string()
    .default('relay')
    .refine((mode) => mode === 'relay', { error: 'only "relay" is supported; "direct" is not supported yet' }),
  direction: z.enum(DIRECTIONS),
  local_addr: ipPort,
  relay_addr: relayAddr.optional(),
  relay_addrs: z.array(relayAddr).min(1).max(2).optional(),
  // For failing back by RTT from a connection of its own; our edge holds both relays at once and needs no such rule.
  max_rtt_failback_increase_ms: z.number().min(0).default(50),
  tunnel_encryption_key: hex64,
  tunnel_bind_secret: hex64.optional(),
  require_bind_proof: z.boolean().optional(),
  relay_ca_path: z.string().min(1).optional(),
  relay_fingerprint: z.union([fingerprint, z.array(fingerprint).min(1)]).optional(),
});

type TunnelFields = z.output<typeof fields>;

type AddProblem = (key: string, message: string) => void;

/** Checks what one key alone cannot show. Runs only on entries whose fields are valid. */
function checkTogether(tunnel: TunnelFields, context: z.RefinementCtx<TunnelFields>): void {
  const problem: AddProblem = (key, message) => context.addIssue({ code: 'custom', path: [key], message });
  const relays = relaysOf(tunnel);
  checkAddresses(tunnel, relays, problem);
  checkVerification(tunnel, relays, problem);
  if (tunnel.require_bind_proof === true && tunnel.tunnel_bind_secret === undefined) {
    problem('require_bind_proof', 'needs tunnel_bind_secret');
  }
}

function checkAddresses(tunnel: TunnelFields, relays: readonly HostPort[], problem: AddProblem): void {
  if (relays.length === 0) problem('relay_addrs', 'is required: one or two host:port, the primary first');
  if (new Set(relays.map(formatHostPort)).size < relays.length) problem('relay_addrs', 'names one relay twice');
  if (tunnel.relay_addr !== undefined && tunnel.relay_addrs !== undefined) {
    problem('relay_addr', 'cannot stand beside relay_addrs');
  }
  if (tunnel.direction === 'ingress' && tunnel.local_addr.port === 0) {
    problem('local_addr', 'needs a port: ingress forwards to it');
  }
}

function checkVerification(tunnel: TunnelFields, relays: readonly HostPort[], problem: AddProblem): void {
  const { relay_ca_path: caPath, relay_fingerprint: sha256 } = tunnel;
  if (caPath !== undefined && sha256 !== undefined) problem('relay_fingerprint', 'cannot stand beside relay_ca_path');
  if (caPath !== undefined && relays.some(({ host }) => isIP(host) !== 0)) {
    problem('relay_ca_path', 'verifies the host name in relay_addrs; with an IP address use relay_fingerprint');
  }
  if (Array.isArray(sha256) && sha256.length !== relays.length) {
    problem('relay_fingerprint', 'as a list needs one entry for each relay');
  }
}

/** A tunnel entry, from the file or from a manager's `create_tunnel`. */
export function tunnelSchema(context: TunnelContext): z.ZodType<TunnelSettings> {
  return z.preprocess(
    // Managers send an absent field as null.
    (entry) => asJsonObject(entry) ?? entry,
    fields.superRefine(checkTogether).transform((tunnel) => toSettings(tunnel, context)),
  );
}

/** Keys of the entry that no version of this program knows: worth a warning, since managers may be newer. */
export function unknownTunnelKeys(entry: unknown): readonly string[] {
  return Object.keys(asJsonObject(entry) ?? {}).filter((key) => !Object.hasOwn(fields.shape, key));
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
    localAddr: tunnel.local_addr,
    relays,
    verification: verificationOf(tunnel, relays.length, context),
    encryptionKey: tunnel.tunnel_encryption_key.toLowerCase(),
    bindSecret: tunnel.tunnel_bind_secret ?? null,
    requireBindProof:
      tunnel.require_bind_proof ?? (context.requireBindProof && tunnel.tunnel_bind_secret !== undefined),
  };
}

function verificationOf(tunnel: TunnelFields, relays: number, context: TunnelContext): RelayVerification {
  const { relay_ca_path: path, relay_fingerprint: sha256 } = tunnel;
  if (path !== undefined) return { kind: 'ca', path: resolve(context.directory, path) };
  if (sha256 === undefined) return { kind: 'none' };
  return { kind: 'fingerprint', sha256: typeof sha256 === 'string' ? Array<string>(relays).fill(sha256) : sha256 };
}
