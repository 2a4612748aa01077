import { dirname, isAbsolute, join, resolve } from 'node:path';
import { AppError } from '../../lib/app-error.ts';
import { formatProblem, type ConfigProblem } from '../../config/config-problem.ts';
import { environmentPrefix } from '../../config/environment.ts';
import { exposedWarnings, secretFiles } from '../../config/exposed-secrets.ts';
import { readJsonFile } from '../../config/json-file.ts';
import { problemsOf } from '../../config/schema-problems.ts';
import { selfSignedPath } from '../../quic/tls-material.ts';
import { asJsonObject, parseJson } from '../../lib/json.ts';
import { managerConfigSchema, type ManagerConfigFile } from './config-schema.ts';

/** A manager's config in force: every default filled in, paths absolute. */
export type ManagerConfig = Readonly<ManagerConfigFile>;

export type ParsedManagerConfig =
  | { readonly kind: 'valid'; readonly config: ManagerConfig; readonly warnings: readonly ConfigProblem[] }
  | { readonly kind: 'invalid'; readonly problems: readonly ConfigProblem[] };

/** Read elsewhere: they are no keys of the file. */
const otherVariables = new Set(['ADIT_MASTER_KEY', 'ADIT_ADMIN_PASSWORD_FILE', 'ADIT_API_TOKEN']);

/** Checks the content of manager.json; relative paths start at `directory`. All problems at once. Never throws. */
export function parseManagerConfig(content: unknown, directory: string): ParsedManagerConfig {
  const parsed = managerConfigSchema.safeParse(content);
  if (!parsed.success) return { kind: 'invalid', problems: problemsOf(parsed.error, managerConfigSchema) };
  return { kind: 'valid', config: complete(parsed.data, directory), warnings: warningsFor(parsed.data) };
}

/** The files of a manager that must be secret, its config among them. */
export function managerSecretFiles(path: string, config: ManagerConfig): readonly string[] {
  const { tls_key_path: key, master_key_path: master, oidc } = config;
  return secretFiles(path, config, [key, master, oidc?.client_secret_path ?? null]);
}

/**
 * The config of a file, of the environment (`ADIT_LISTEN`, `ADIT_DATABASE__URL`: two underscores between levels), or of
 * neither. Rejects with AppError `config-invalid` that lists every problem, one a line.
 */
export async function loadManagerConfig(
  path: string | null,
  environment: NodeJS.ProcessEnv,
  workingDirectory: string,
): Promise<Extract<ParsedManagerConfig, { kind: 'valid' }>> {
  const content = path === null ? {} : await readJsonFile(path);
  const directory = path === null ? workingDirectory : dirname(resolve(path));
  const parsed = parseManagerConfig(withEnvironment(content, environment), directory);
  if (parsed.kind === 'valid') {
    const secretFiles = path === null ? [] : managerSecretFiles(path, parsed.config);
    return { ...parsed, warnings: [...parsed.warnings, ...exposedWarnings(secretFiles)] };
  }
  const source = path ?? 'the environment';
  throw new AppError('config-invalid', [`${source}:`, ...parsed.problems.map(formatProblem)].join('\n  '));
}

/** Of the certificate that the manager shows, its own self-signed one where the config names none. */
export function certificatePathOf({ tls_cert_path: path, state_dir: stateDir }: ManagerConfig): string {
  return path ?? selfSignedPath(join(stateDir, 'certs'));
}

function withEnvironment(content: unknown, environment: NodeJS.ProcessEnv): unknown {
  const fields = asJsonObject(content);
  if (fields === null) return content;
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(environmentPrefix) || otherVariables.has(name) || value === undefined) continue;
    const keys = name.slice(environmentPrefix.length).toLowerCase().split('__');
    if (keys[0] !== undefined && keys[0] in managerConfigSchema.shape) put(fields, keys, parseJson(value) ?? value);
  }
  return fields;
}

function put(fields: Record<string, unknown>, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    fields[key] = key === 'listen' && typeof value === 'string' ? value.split(',') : value;
    return;
  }
  const inner = { ...asJsonObject(fields[key]) };
  put(inner, rest, value);
  fields[key] = inner;
}

function complete(file: ManagerConfigFile, directory: string): ManagerConfig {
  const at = (path: string): string => resolve(directory, path);
  const orNull = (path: string | null): string | null => (path === null ? null : at(path));
  const target = file.logging.json_target;
  const stateDir = at(file.state_dir);
  const sqlitePath = /^sqlite:(.+)$/.exec(file.database.url)?.[1];
  const databaseUrl =
    sqlitePath === undefined || isAbsolute(sqlitePath) ? file.database.url : `sqlite:${at(sqlitePath)}`;
  return {
    ...file,
    database: { ...file.database, url: databaseUrl },
    tls_cert_path: orNull(file.tls_cert_path),
    tls_key_path: orNull(file.tls_key_path),
    master_key_path: orNull(file.master_key_path) ?? resolve(stateDir, 'master.key'),
    state_dir: stateDir,
    ...(file.observer !== undefined && {
      observer: { ...file.observer, socket: orNull(file.observer.socket) },
    }),
    oidc: file.oidc === null ? null : { ...file.oidc, client_secret_path: at(file.oidc.client_secret_path) },
    logging: { json_target: target?.kind === 'file' ? { ...target, path: at(target.path) } : target },
  };
}

function warningsFor(file: ManagerConfigFile): ConfigProblem[] {
  const warnings: ConfigProblem[] = [];
  if (file.database.url.startsWith('postgres') && file.instance_url === null) {
    const problem = 'is not set, so another instance cannot tell whether this one is cut off';
    warnings.push({ path: 'instance_url', problem, remedy: 'set it to how other instances reach this one' });
  }
  return warnings;
}
