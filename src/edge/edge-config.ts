import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { logLevels, type LogLevel } from '../lib/logger.ts';
import { parseHostPort, type HostPort } from '../lib/host-port.ts';
import { managerKeys, managerSchema, type ManagerSettings } from '../node-link/manager-config.ts';
import { MAX_EDGE_ID_BYTES } from '../protocol/limits.ts';
import { findPortConflict } from './port-conflict.ts';
import { tunnelSchema, unknownTunnelKeys, type ConfigProblem, type TunnelSettings } from './tunnel-config.ts';

/** Where structured log lines go (manager-protocol.md §7). */
export type JsonLogTarget =
  | { readonly kind: 'stdout'; readonly format: 'raw' | 'splunk' }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly max_size_mb: number;
      readonly max_backups: number;
      readonly format: 'raw' | 'splunk';
    }
  | { readonly kind: 'syslog'; readonly addr: HostPort; readonly format: 'raw' | 'splunk' };

/** edge.json, checked and with its defaults (wire-protocol.md §8). Frozen. */
export interface EdgeConfig {
  readonly edgeId: string;
  readonly tunnels: readonly TunnelSettings[];
  readonly quic: {
    readonly engine: 'auto' | 'native' | 'quiche';
    readonly maxUdpPayload: number;
    readonly idleTimeoutMs: number;
    readonly keepAliveMs: number;
  };
  /** For tunnels that do not say it themselves. */
  readonly requireBindProof: boolean;
  /** Null without one. */
  readonly manager: ManagerSettings | null;
  /** Where the manager's credentials are kept when this file cannot be written; null keeps them here. */
  readonly credentialsPath: string | null;
  readonly apiAddr: HostPort | null;
  readonly apiToken: string | null;
  readonly jsonLogTarget: JsonLogTarget | null;
  readonly logLevel: LogLevel;
  readonly stateDir: string;
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

const ipPort = z.string().transform((text, context) => {
  const address = parseHostPort(text);
  if (address !== null && isIP(address.host) !== 0) return address;
  context.addIssue({ code: 'custom', message: `must be ip:port or [ipv6]:port, not "${text.slice(0, 80)}"` });
  return z.NEVER;
});
const format = z.enum(['raw', 'splunk']).default('raw');
const jsonTarget = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('stdout'), format }),
  z.strictObject({
    kind: z.literal('file'),
    path: z.string().min(1),
    max_size_mb: z.int().min(1).default(64),
    max_backups: z.int().min(0).default(5),
    format,
  }),
  z.strictObject({ kind: z.literal('syslog'), addr: ipPort, format }),
]);
const quic = z
  .strictObject({
    engine: z.enum(['auto', 'native', 'quiche']).default('auto'),
    max_udp_payload: z.int().min(1200).max(65_527).default(1452),
    idle_timeout_secs: z.number().min(1).max(600).default(25),
    keep_alive_secs: z.number().min(0.1).max(300).default(5),
  })
  .refine((value) => value.keep_alive_secs < value.idle_timeout_secs, {
    path: ['keep_alive_secs'],
    error: 'must be below idle_timeout_secs, or idle connections die',
  });
const edgeId = z
  .string()
  .min(1)
  .refine((id) => Buffer.byteLength(id) <= MAX_EDGE_ID_BYTES, {
    error: `must be at most ${MAX_EDGE_ID_BYTES} bytes: relays ignore longer ids`,
  });

function fileSchema(context: EdgeConfigContext, requireBindProof: boolean) {
  return z.strictObject({
    $schema: z.string().optional(),
    edge_id: edgeId.default(defaultEdgeId(context.hostname)),
    tunnels: z.array(tunnelSchema({ directory: context.directory, requireBindProof })).default([]),
    require_bind_proof: z.boolean().default(false),
    manager: managerSchema.optional(),
    credentials_path: z.string().min(1).optional(),
    api_addr: ipPort.optional(),
    api_token: z.string().min(32).max(128).optional(),
    logging: z.strictObject({ json_target: jsonTarget.nullable().default(null) }).prefault({}),
    log_level: z.enum(logLevels).default('info'),
    state_dir: z.string().min(1).default('state/'),
    quic: quic.prefault({}),
  });
}

type EdgeFile = z.output<ReturnType<typeof fileSchema>>;

/** Checks the content of edge.json. All problems are found at once. Never throws. */
export function parseEdgeConfig(content: unknown, context: EdgeConfigContext): ParsedEdgeConfig {
  const fields: Record<string, unknown> = typeof content === 'object' && content !== null ? { ...content } : {};
  const parsed = fileSchema(context, fields['require_bind_proof'] === true).safeParse(content);
  if (!parsed.success) return { kind: 'invalid', problems: parsed.error.issues.flatMap(toProblems) };
  const problems = tunnelConflicts(parsed.data.tunnels);
  if (problems.length > 0) return { kind: 'invalid', problems };
  return {
    kind: 'valid',
    config: toConfig(parsed.data, context),
    warnings: warningsFor(fields['tunnels'], parsed.data),
  };
}

/** One entry, as a manager sends it in `create_tunnel`; conflicts with other tunnels are the edge's to find. */
export function parseTunnel(
  entry: unknown,
  context: { readonly directory: string; readonly requireBindProof: boolean },
):
  | { readonly kind: 'valid'; readonly tunnel: TunnelSettings; readonly unknownKeys: readonly string[] }
  | { readonly kind: 'invalid'; readonly problems: readonly ConfigProblem[] } {
  const parsed = tunnelSchema(context).safeParse(entry);
  if (!parsed.success) return { kind: 'invalid', problems: parsed.error.issues.flatMap(toProblems) };
  return { kind: 'valid', tunnel: parsed.data, unknownKeys: unknownTunnelKeys(entry) };
}

function tunnelConflicts(tunnels: readonly TunnelSettings[]): ConfigProblem[] {
  return tunnels.flatMap((tunnel, index) => {
    const earlier = tunnels.slice(0, index);
    const path = `tunnels[${index}]`;
    if (earlier.some(({ id }) => id === tunnel.id)) return [{ path: `${path}.id`, message: 'names a tunnel twice' }];
    const conflict = findPortConflict(tunnel, earlier);
    return conflict === null ? [] : [{ path: `${path}.local_addr`, message: conflict }];
  });
}

function warningsFor(entries: unknown, file: EdgeFile): ConfigProblem[] {
  const unknown = (Array.isArray(entries) ? entries : []).flatMap((entry: unknown, index) =>
    unknownTunnelKeys(entry).map((key) => ({ path: `tunnels[${index}].${key}`, message: 'unknown key, ignored' })),
  );
  const unverified = file.tunnels.flatMap(({ verification }, index) => (verification.kind === 'none' ? [index] : []));
  if (unverified.length === 0) return unknown;
  const path = unverified.map((index) => `tunnels[${index}]`).join(', ');
  return [
    ...unknown,
    { path, message: 'connects to its relay without verifying it; set relay_fingerprint or relay_ca_path' },
  ];
}

function toProblems(issue: z.core.$ZodIssue): ConfigProblem[] {
  const path = formatPath(issue.path);
  if (issue.code !== 'unrecognized_keys') return [{ path: path || '(file)', message: issue.message }];
  return issue.keys.map((key) => ({ path: path ? `${path}.${key}` : key, message: unknownKey(key, issue.path) }));
}

const knownKeys: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(fileSchema({ directory: '', hostname: 'x' }, false).shape),
  quic: Object.keys(quic.shape),
  logging: ['json_target'],
  manager: managerKeys,
};

function unknownKey(key: string, path: readonly PropertyKey[]): string {
  const nearest = closest(key, knownKeys[formatPath(path)] ?? ['']);
  const near = distance(key, nearest) <= Math.max(2, key.length / 2);
  return near ? `unknown key; did you mean "${nearest}"?` : 'unknown key';
}

function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

function defaultEdgeId(hostname: string): string {
  return Buffer.from(hostname).subarray(0, MAX_EDGE_ID_BYTES).toString() || 'edge';
}

function toConfig(file: EdgeFile, { directory }: EdgeConfigContext): EdgeConfig {
  const target = file.logging.json_target;
  return Object.freeze({
    edgeId: file.edge_id,
    tunnels: file.tunnels,
    quic: {
      engine: file.quic.engine,
      maxUdpPayload: file.quic.max_udp_payload,
      idleTimeoutMs: file.quic.idle_timeout_secs * 1000,
      keepAliveMs: file.quic.keep_alive_secs * 1000,
    },
    requireBindProof: file.require_bind_proof,
    manager: file.manager ?? null,
    credentialsPath: file.credentials_path === undefined ? null : resolve(directory, file.credentials_path),
    apiAddr: file.api_addr ?? null,
    apiToken: file.api_token ?? null,
    jsonLogTarget: target?.kind === 'file' ? { ...target, path: resolve(directory, target.path) } : target,
    logLevel: file.log_level,
    stateDir: resolve(directory, file.state_dir),
  });
}
