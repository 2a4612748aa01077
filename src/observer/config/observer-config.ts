import { dirname, resolve } from 'node:path';
import process from 'node:process';
import { AppError } from '../../lib/app-error.ts';
import { formatProblem, type ConfigProblem } from '../../config/config-problem.ts';
import { exposedWarnings } from '../../config/exposed-secrets.ts';
import { readJsonFile } from '../../config/json-file.ts';
import { problemsOf } from '../../config/schema-problems.ts';
import { asJsonObject } from '../../lib/json.ts';
import { isLoopback } from '../../lib/socket-address.ts';
import { unprotectedApi } from '../../config/unprotected-api.ts';
import { managerWarnings } from '../../node-link/manager-config.ts';
import { observerFileSchema, type ObserverFile } from './config-schema.ts';
import { observerSecretFiles } from './observer-secret-files.ts';
import { acceptsRecovery, usesSecureUdp } from './udp-acceptance.ts';

/** observer.json as it is in force: every default filled in, paths absolute. */
export type ObserverConfig = Readonly<ObserverFile>;

export interface ValidObserverConfig {
  readonly kind: 'valid';
  readonly config: ObserverConfig;
  readonly warnings: readonly ConfigProblem[];
}

export type ParsedObserverConfig =
  ValidObserverConfig | { readonly kind: 'invalid'; readonly problems: readonly ConfigProblem[] };

const pathKeys = [
  ...(['socket', 'key_file', 'accepted_key_file', 'master_key_file', 'recovery_exec_file'] as const),
  ...(['recovery_audit_file', 'export_file', 'heartbeat_file', 'prom_token_file', 'credentials_path'] as const),
];

/** Checks the content of observer.json; relative paths start at `directory`. All problems at once. Never throws. */
export function parseObserverConfig(content: unknown, directory: string): ParsedObserverConfig {
  const parsed = observerFileSchema.safeParse(content);
  const fields = asJsonObject(content) ?? {};
  const open = unprotectedApi('api_addr', fields['api_addr'], fields['api_token']);
  const problems = parsed.success ? problemsBetweenKeys(parsed.data) : problemsOf(parsed.error, observerFileSchema);
  if (!parsed.success || problems.length + open.length > 0)
    return { kind: 'invalid', problems: [...problems, ...open] };
  const warnings = [...managerWarnings(fields['manager']), ...warningsFor(parsed.data, Object.keys(fields))];
  return { kind: 'valid', config: complete(parsed.data, directory), warnings };
}

/**
 * Reads and checks a config, `flags` before what the file says; without a file the flags are all. Rejects with AppError
 * `config-invalid` that lists every problem, one a line.
 */
export async function loadObserverConfig(
  path: string | null,
  flags: Readonly<Record<string, unknown>>,
): Promise<ValidObserverConfig> {
  const content = path === null ? {} : await readJsonFile(path);
  const isObject = typeof content === 'object' && content !== null && !Array.isArray(content);
  const directory = path === null ? process.cwd() : dirname(resolve(path));
  // A path in a flag starts where the command is run.
  const parsed = parseObserverConfig(isObject ? { ...content, ...atWorkingFolder(flags) } : content, directory);
  if (parsed.kind === 'valid') {
    const secretFiles = path === null ? [] : observerSecretFiles(path, parsed.config);
    return { ...parsed, warnings: [...parsed.warnings, ...exposedWarnings(secretFiles)] };
  }
  const place = path ?? 'the flags';
  throw new AppError('config-invalid', [`${place}:`, ...parsed.problems.map(formatProblem)].join('\n  '));
}

function hasRecovery(config: Pick<ObserverFile, 'recovery_exec' | 'recovery_exec_file'>): boolean {
  return config.recovery_exec !== null || config.recovery_exec_file !== null;
}

function problemsBetweenKeys(file: ObserverFile): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const add = (path: string, problem: string, remedy: string): void => void problems.push({ path, problem, remedy });
  if (file.socket === null && file.udp_port === null) {
    add('socket', 'is missing, and there is no udp_port either', 'name the path of the socket to make');
  }
  if (file.recovery_exec !== null && file.recovery_exec_file !== null) {
    add('recovery_exec_file', 'says the same as recovery_exec', 'keep one of them');
  }
  if ((file.prom_addr === null) !== (file.prom_token_file === null)) {
    add('prom_addr', 'and prom_token_file belong together', 'set both, or neither');
  }
  if (file.udp_port !== null) udpProblems(file, add);
  return problems;
}

function udpProblems(file: ObserverFile, add: (path: string, problem: string, remedy: string) => void): void {
  const secure = usesSecureUdp(file);
  if (!secure && !file.i_accept_plaintext_udp) {
    add('udp_port', 'takes beats from anyone', 'set key_file or master_key_file, or i_accept_plaintext_udp to true');
  }
  if (secure && !isLoopback(file.udp_bind_addr) && !file.i_accept_secure_udp_non_loopback) {
    add('udp_bind_addr', 'lets other hosts beat', 'use 127.0.0.1, or set i_accept_secure_udp_non_loopback to true');
  }
  if (hasRecovery(file) && !acceptsRecovery(file)) {
    const key = `${secure ? 'secure' : 'plaintext'}_udp_i_accept_recovery_on_unauthenticated_transport`;
    add('recovery_exec', 'would run for agents that nothing vouches for', `remove udp_port, or set ${key} to true`);
  }
}

function warningsFor(file: ObserverFile, keys: readonly string[]): readonly ConfigProblem[] {
  const warnings: ConfigProblem[] = [];
  if (keys.includes('read_timeout_ms')) {
    warnings.push({ path: 'read_timeout_ms', problem: 'has no effect', remedy: 'remove it' });
  }
  if (file.socket !== null && file.udp_port !== null && file.origin_policy === 'first') {
    const problem = 'is first: whoever beats over UDP before a local agent keeps its pid';
    warnings.push({ path: 'origin_policy', problem, remedy: 'set it to stronger' });
  }
  return warnings;
}

function complete(file: ObserverFile, directory: string): ObserverConfig {
  const paths = Object.fromEntries(
    pathKeys.map((key) => [key, file[key] === null ? null : resolve(directory, file[key])]),
  ) as Pick<ObserverFile, (typeof pathKeys)[number]>;
  return Object.freeze({ ...file, ...paths, state_dir: resolve(directory, file.state_dir) });
}

function atWorkingFolder(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const keys: readonly string[] = [...pathKeys, 'state_dir'];
  const entries = Object.entries(flags).map(([key, value]) => {
    return [key, keys.includes(key) && typeof value === 'string' ? resolve(value) : value];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}
