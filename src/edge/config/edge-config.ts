import { resolve } from 'node:path';
import { z } from 'zod';
import { secretFiles } from '../../config/exposed-secrets.ts';
import type { ConfigProblem } from '../../config/config-problem.ts';
import {
  apiToken,
  flag,
  loggingSchema,
  logLevelSchema,
  quicSchema,
  whole,
  shown,
  socketAddressText,
  text,
  type JsonLogTarget,
} from '../../config/schema-parts.ts';
import { problemsOf } from '../../config/schema-problems.ts';
import type { LogLevel } from '../../lib/logger.ts';
import { formatHostPort, parseHostPort, type HostPort } from '../../lib/host-port.ts';
import { shadowedKey } from '../../config/shadowed-key.ts';
import { unprotectedApi } from '../../config/unprotected-api.ts';
import { beatSchema, type BeatConfig } from '../../beat-sender/beat-config.ts';
import {
  managerSchema,
  managerSettings,
  managerWarnings,
  type ManagerSettings,
} from '../../node-link/manager-config.ts';
import { asJsonObject } from '../../lib/json.ts';
import { MAX_EDGE_ID_BYTES } from '../../protocol/tunnel/limits.ts';
import type { FlowSettings } from '../../media/flow/flow-settings.ts';
import { flowSchema } from './flow-config.ts';
import { flowProblems } from './flow-tunnels.ts';
import { findPortConflict } from './port-conflict.ts';
import { hasShadowedRelay, tunnelSchema, splitManagedEntry, type TunnelSettings } from './tunnel-config.ts';

/** edge.json, checked and with its defaults (docs/protocol/tunnel.md §8). Frozen. */
export interface EdgeConfig {
  readonly edgeId: string;
  readonly tunnels: readonly TunnelSettings[];
  readonly flows: readonly FlowSettings[];
  readonly quic: {
    readonly engine: 'auto' | 'native' | 'quiche';
    readonly maxUdpPayload: number;
    readonly idleTimeoutMs: number;
    readonly keepAliveMs: number;
  };
  /** For tunnels without a value of their own. */
  readonly requireBindProof: boolean;
  /** TCP connections at once in one tunnel. */
  readonly maxConnectionsPerTunnel: number;
  /** Null without one. */
  readonly manager: ManagerSettings | null;
  /** Where the manager's credentials are kept when this file cannot be written; null keeps them here. */
  readonly credentialsPath: string | null;
  readonly apiAddr: HostPort | null;
  readonly apiToken: string | null;
  readonly jsonLogTarget: JsonLogTarget | null;
  readonly logLevel: LogLevel;
  readonly stateDir: string;
  /** Null without an observer. */
  readonly observer: BeatConfig | null;
}

export interface EdgeConfigContext {
  /** The folder of the file: relative paths start here. */
  readonly directory: string;
  /** The edge's id unless the file names one; longer ones are cut to what a relay accepts. */
  readonly hostname: string;
}

export type ParsedEdgeConfig =
  | { readonly kind: 'valid'; readonly config: EdgeConfig; readonly warnings: readonly ConfigProblem[] }
  | { readonly kind: 'invalid'; readonly problems: readonly ConfigProblem[] };

const apiAddress = socketAddressText('"127.0.0.1:4481"').transform((text, context) => {
  const address = parseHostPort(text);
  if (address !== null) return address;
  context.addIssue({
    code: 'custom',
    message: `is not ip:port but ${shown(text)}; write for example "127.0.0.1:4481"`,
  });
  return z.NEVER;
});
const edgeId = text().refine((id) => Buffer.byteLength(id) <= MAX_EDGE_ID_BYTES, {
  error: `is longer than ${MAX_EDGE_ID_BYTES} bytes, which relays ignore; shorten it`,
});

/** The keys of edge.json, as they are written, except for what depends on where the file is. */
export const edgeFileKeys = {
  $schema: z.string().optional(),
  require_bind_proof: flag().default(false).describe('For every tunnel that does not say it itself.'),
  credentials_path: text().nullable().default(null).describe("The manager's credentials, when not in this file."),
  api_addr: apiAddress.nullable().default(null).describe('Where the REST API listens (TCP); without it there is none.'),
  api_token: apiToken.nullable().default(null).describe('Bearer token of the REST API.'),
  logging: loggingSchema.prefault({}),
  observer: beatSchema.optional().describe('An observer that this program beats to; none unless it is set.'),
  log_level: logLevelSchema,
  state_dir: text()
    .default('state/')
    .describe('What must outlive a restart: events for the manager. Not to be shared.'),
  max_connections_per_tunnel: whole(1, 65_000)
    .default(1000)
    .describe("TCP connections at once in a tunnel, at both edges; keep it under the relay's limits.max_bidi_streams."),
  quic: quicSchema.prefault({}),
};

/** The files of an edge that must be secret, its config among them. */
export function edgeSecretFiles(path: string, config: EdgeConfig): readonly string[] {
  return secretFiles(path, config, [config.credentialsPath]);
}

function fileSchema(context: EdgeConfigContext, requireBindProof: boolean) {
  return z.strictObject({
    ...edgeFileKeys,
    edge_id: edgeId.default(defaultEdgeId(context.hostname)),
    tunnels: z.array(tunnelSchema({ directory: context.directory, requireBindProof })).default([]),
    flows: z.array(flowSchema).default([]),
    manager: managerSchema.optional(),
  });
}

type EdgeFile = z.output<ReturnType<typeof fileSchema>>;

/** Checks the content of edge.json. All problems are found at once. Never throws. */
export function parseEdgeConfig(content: unknown, context: EdgeConfigContext): ParsedEdgeConfig {
  const fields: Record<string, unknown> = typeof content === 'object' && content !== null ? { ...content } : {};
  const schema = fileSchema(context, fields['require_bind_proof'] === true);
  const parsed = schema.safeParse(content);
  const open = unprotectedApi('api_addr', fields['api_addr'], fields['api_token']);
  if (!parsed.success) return { kind: 'invalid', problems: [...problemsOf(parsed.error, schema), ...open] };
  if (open.length > 0) return { kind: 'invalid', problems: open };
  const problems = [...tunnelConflicts(parsed.data.tunnels), ...flowProblems(parsed.data.flows, parsed.data.tunnels)];
  if (problems.length > 0) return { kind: 'invalid', problems };
  return {
    kind: 'valid',
    config: toConfig(parsed.data, context),
    warnings: [...shadowedKeys(fields), ...warningsFor(parsed.data)],
  };
}

/**
 * One entry, as a manager sends it in `create_tunnel`; conflicts with other tunnels are the edge's to find. `entry` is
 * what to store: it has only keys that this program knows, so that the file stays sound.
 */
export function parseTunnel(
  entry: unknown,
  context: { readonly directory: string; readonly requireBindProof: boolean },
):
  | {
      readonly kind: 'valid';
      readonly tunnel: TunnelSettings;
      readonly entry: Readonly<Record<string, unknown>>;
      readonly ignoredKeys: readonly string[];
    }
  | { readonly kind: 'invalid'; readonly problems: readonly ConfigProblem[] } {
  const schema = tunnelSchema(context);
  const { known, ignored, refused } = splitManagedEntry(asJsonObject(entry) ?? {});
  const parsed = schema.safeParse(asJsonObject(entry) === null ? entry : known);
  const unsupported = refused.map((key) => ({
    path: key,
    problem: 'is not supported by this edge',
    remedy: 'remove it',
  }));
  if (parsed.success && unsupported.length === 0) {
    return { kind: 'valid', tunnel: parsed.data, entry: known, ignoredKeys: ignored };
  }
  return { kind: 'invalid', problems: [...(parsed.success ? [] : problemsOf(parsed.error, schema)), ...unsupported] };
}

function tunnelConflicts(tunnels: readonly TunnelSettings[]): ConfigProblem[] {
  return tunnels.flatMap((tunnel, index) => {
    const earlier = tunnels.slice(0, index);
    const path = `tunnels[${index}]`;
    if (earlier.some(({ id }) => id === tunnel.id)) {
      return [{ path: `${path}.id`, problem: 'names a tunnel twice', remedy: 'list each tunnel once' }];
    }
    const conflict = findPortConflict(tunnel, earlier);
    if (conflict === null) return [];
    return [{ path: `${path}.local_addr`, problem: `cannot be had: ${conflict}`, remedy: 'choose another port' }];
  });
}

/** Older keys that stand beside the list of the same meaning. */
function shadowedKeys(fields: Readonly<Record<string, unknown>>): readonly ConfigProblem[] {
  const tunnels: readonly unknown[] = Array.isArray(fields['tunnels']) ? fields['tunnels'] : [];
  const shadowed = tunnels.flatMap((entry, index) =>
    hasShadowedRelay(asJsonObject(entry) ?? {})
      ? [shadowedKey(`tunnels[${index}].relay_addr`, `tunnels[${index}].relay_addrs`)]
      : [],
  );
  return [...managerWarnings(fields['manager']), ...shadowed];
}

function warningsFor(file: EdgeFile): ConfigProblem[] {
  return [...unverifiedRelayWarnings(file.tunnels), ...crowdedRelayWarnings(file.tunnels)];
}

/** What a relay takes from one address unless its config says otherwise. */
const usualConnectionsPerIp = 64;

/** Each tunnel has a connection of its own, and a relay counts those of all edges behind one address together. */
function crowdedRelayWarnings(tunnels: readonly TunnelSettings[]): ConfigProblem[] {
  const relays = tunnels.filter(({ enabled }) => enabled).flatMap((tunnel) => tunnel.relays.map(formatHostPort));
  return [...new Set(relays)].flatMap((relay) => {
    const count = relays.filter((each) => each === relay).length;
    if (count <= usualConnectionsPerIp) return [];
    const most = `a relay takes ${usualConnectionsPerIp} connections of one address`;
    const problem = `has ${count} tunnels to ${relay}, and ${most}`;
    return [{ path: 'tunnels', problem, remedy: 'raise max_connections_per_ip on that relay, beyond this' }];
  });
}

/** One warning for all tunnels: it is one decision. */
function unverifiedRelayWarnings(tunnels: readonly TunnelSettings[]): ConfigProblem[] {
  const unverified = tunnels.flatMap(({ verifications }, index) => (verifications[0]?.kind === 'none' ? [index] : []));
  if (unverified.length === 0) return [];
  const path = unverified.map((index) => `tunnels[${index}]`).join(', ');
  const problem = 'connects to its relay without verifying it';
  return [{ path, problem, remedy: 'set relay_fingerprint or relay_ca_path' }];
}

function defaultEdgeId(hostname: string): string {
  return Buffer.from(hostname).subarray(0, MAX_EDGE_ID_BYTES).toString() || 'edge';
}

function toConfig(file: EdgeFile, { directory }: EdgeConfigContext): EdgeConfig {
  const target = file.logging.json_target;
  return Object.freeze({
    edgeId: file.edge_id,
    tunnels: file.tunnels,
    flows: file.flows,
    quic: {
      engine: file.quic.engine,
      maxUdpPayload: file.quic.max_udp_payload,
      idleTimeoutMs: file.quic.idle_timeout_secs * 1000,
      keepAliveMs: file.quic.keep_alive_secs * 1000,
    },
    requireBindProof: file.require_bind_proof,
    maxConnectionsPerTunnel: file.max_connections_per_tunnel,
    manager: file.manager === undefined ? null : managerSettings(file.manager),
    credentialsPath: file.credentials_path === null ? null : resolve(directory, file.credentials_path),
    apiAddr: file.api_addr,
    apiToken: file.api_token,
    jsonLogTarget: target?.kind === 'file' ? { ...target, path: resolve(directory, target.path) } : target,
    logLevel: file.log_level,
    stateDir: resolve(directory, file.state_dir),
    observer: beatTarget(file.observer, directory),
  });
}

function beatTarget(observer: BeatConfig | undefined, directory: string): BeatConfig | null {
  if (observer === undefined) return null;
  return { ...observer, socket: observer.socket === null ? null : resolve(directory, observer.socket) };
}
