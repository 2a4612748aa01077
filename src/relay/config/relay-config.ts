import { dirname, resolve } from 'node:path';
import { AppError } from '../../lib/app-error.ts';
import { exposedWarnings, secretFiles } from '../../config/exposed-secrets.ts';
import { readJsonFile } from '../../config/json-file.ts';
import { unprotectedApi } from '../../config/unprotected-api.ts';
import { DEFAULT_API_PORT } from '../../protocol/tunnel/limits.ts';
import { formatProblem, type ConfigProblem } from '../../config/config-problem.ts';
import { problemsOf } from '../../config/schema-problems.ts';
import { managerWarnings } from '../../node-link/manager-config.ts';
import { aliases, readFieldKeys } from './field-keys.ts';
import { relayConfigSchema, type RelayConfigFile } from './config-schema.ts';

/**
 * A relay's config as it is in force, with every default filled in and absolute paths. The keys have their names of the
 * file, so that it can be shown as it was written. Frozen, all the way down.
 */
export type RelayConfig = Readonly<Omit<RelayConfigFile, 'api_addrs'> & { readonly api_addrs: readonly string[] }>;

export type ParsedRelayConfig =
  | { readonly kind: 'valid'; readonly config: RelayConfig; readonly warnings: readonly ConfigProblem[] }
  | { readonly kind: 'invalid'; readonly problems: readonly ConfigProblem[] };

/** Checks the content of a config file; relative paths start at `directory`. All problems at once. Never throws. */
export function parseRelayConfig(content: unknown, directory: string): ParsedRelayConfig {
  if (!isRecord(content)) {
    return { kind: 'invalid', problems: [{ path: '', problem: 'is not a JSON object', remedy: 'write {…}' }] };
  }
  const { fields, warnings } = readFieldKeys(content);
  const parsed = relayConfigSchema.safeParse(fields);
  const open = unprotectedApi('api_addrs', fields['api_addrs'], fields['api_token']);
  if (!parsed.success) return { kind: 'invalid', problems: [...problemsOf(parsed.error, relayConfigSchema), ...open] };
  if (open.length > 0) return { kind: 'invalid', problems: open };
  const config = deepFreeze(complete(parsed.data, directory));
  return {
    kind: 'valid',
    config,
    warnings: [...warnings, ...managerWarnings(fields['manager']), ...warningsFor(config)],
  };
}

/** The files of a relay that must be secret, its config among them. */
export function relaySecretFiles(path: string, config: RelayConfig): readonly string[] {
  return secretFiles(path, config, [config.tls_key_path, config.credentials_path]);
}

/** What flags say in place of the file. */
export interface ConfigOverrides {
  readonly quic_addrs?: readonly string[];
  readonly api_addrs?: readonly string[];
  readonly public_quic_addr?: string;
}

/**
 * Reads and checks a config file. Throws AppError `config-invalid` that lists every problem, one a line, also
 * when the file cannot be read.
 */
export async function loadRelayConfig(
  path: string,
  overrides: ConfigOverrides = {},
): Promise<Extract<ParsedRelayConfig, { kind: 'valid' }>> {
  const parsed = parseRelayConfig(override(await readJsonFile(path), overrides), dirname(resolve(path)));
  if (parsed.kind === 'valid') {
    return { ...parsed, warnings: [...parsed.warnings, ...exposedWarnings(relaySecretFiles(path, parsed.config))] };
  }
  throw new AppError('config-invalid', [`${path}:`, ...parsed.problems.map(formatProblem)].join('\n  '));
}

function override(content: unknown, overrides: ConfigOverrides): unknown {
  if (!isRecord(content)) return content;
  const kept = Object.entries(content).filter(([key]) => !Object.hasOwn(overrides, aliases[key] ?? key));
  return { ...Object.fromEntries(kept), ...overrides };
}

function complete(file: RelayConfigFile, directory: string): RelayConfig {
  const at = (path: string): string => resolve(directory, path);
  const orNull = (path: string | null): string | null => (path === null ? null : at(path));
  const target = file.logging.json_target;
  const apiHost = file.api_token === null ? '127.0.0.1' : '0.0.0.0';
  return {
    ...file,
    api_addrs: file.api_addrs ?? [`${apiHost}:${DEFAULT_API_PORT}`],
    tls_cert_path: orNull(file.tls_cert_path),
    tls_key_path: orNull(file.tls_key_path),
    ...(file.observer !== undefined && { observer: { ...file.observer, socket: orNull(file.observer.socket) } }),
    state_dir: at(file.state_dir),
    credentials_path: orNull(file.credentials_path),
    logging: { json_target: target?.kind === 'file' ? { ...target, path: at(target.path) } : target },
  };
}

function warningsFor(config: RelayConfig): ConfigProblem[] {
  const warnings: ConfigProblem[] = [];
  if (!config.require_bind_auth) {
    const remedy = 'write "require_bind_auth": true; a manager, or tunnels[], authorises those that are yours';
    warnings.push({ path: 'require_bind_auth', problem: 'is false: anyone may bind a tunnel', remedy });
  }
  return warnings;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
