import { readFile } from 'node:fs/promises';
import process from 'node:process';
import type { Command } from 'commander';
import { z } from 'zod';
import { refusalSchema } from '../admin/route.ts';
import { AppError } from '../lib/app-error.ts';
import { formatHostPort, parseHostPort } from '../lib/host-port.ts';
import { readJsonFile } from '../config/json-file.ts';
import { parseJson } from '../lib/json.ts';
import { DEFAULT_API_PORT } from '../protocol/tunnel/limits.ts';
import { pinnedRequest } from './pinned-request.ts';
import { programOf } from './program-of-config.ts';
import { warnOfVisibleSecret } from './visible-secret.ts';

/** The address of the REST API of a running relay or edge, from flags. */
export interface ApiFlags {
  readonly url?: string;
  readonly token?: string;
  readonly config?: string;
  readonly cert?: string;
}

export type ApiAnswer<Body> =
  { readonly kind: 'ok'; readonly body: Body } | { readonly kind: 'not-found'; readonly message: string };

const answerDeadlineMs = 5_000;
/** The last one is of a program that is not ready. */
const answers: readonly number[] = [200, 201, 202, 503];
const defaultAddress = `127.0.0.1:${DEFAULT_API_PORT}`;
const configSchema = z.object({
  api_addr: z.string().nullish(),
  api_addrs: z.array(z.string()).nullish(),
  api_token: z.string().nullish(),
  tunnels: z.array(z.object({ id: z.string(), name: z.string().optional() })).default([]),
});

export function addApiOptions(command: Command): Command {
  return warnOfVisibleSecret(command, '--token', 'set ADIT_API_TOKEN, or name the config with --config')
    .option('-c, --config <file>', 'the config of the program: takes its API address and token from there')
    .option('--url <url>', `its REST API (default http://${defaultAddress})`)
    .option('--cert <file>', 'the certificate (PEM) that it must have, of a manager that signed its own')
    .option('--token <token>', 'its api_token; better given as ADIT_API_TOKEN, which other users cannot see');
}

/** A client of the REST API of a running relay or edge. */
export class ApiClient {
  readonly url: string;
  readonly #token: string | null;
  readonly #certificate: string | null;
  readonly #timeoutMs: number;

  /** `certificate` (PEM): what the server must have, in place of one that an authority signed. */
  constructor(
    url: string,
    token: string | null,
    certificate: string | null = null,
    timeoutMs: number = answerDeadlineMs,
  ) {
    this.url = url.replace(/\/$/, '');
    this.#token = token;
    this.#certificate = certificate;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Rejects with AppError: `connect-failed` when nothing answers, `config-invalid` for a wrong token, `input-invalid`
   * when the answer is not one of this program. A status of 503 is an answer like 200.
   */
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<ApiAnswer<z.output<Schema>>> {
    return this.#answer('GET', path, schema);
  }

  /** As `get`; a relay without an api_token refuses it: `config-invalid`. */
  delete<Schema extends z.ZodType>(path: string, schema: Schema): Promise<ApiAnswer<z.output<Schema>>> {
    return this.#answer('DELETE', path, schema);
  }

  /** As `get`, with a JSON body; a refusal rejects with AppError `input-invalid` and its words. */
  post<Schema extends z.ZodType>(path: string, body: object, schema: Schema): Promise<ApiAnswer<z.output<Schema>>> {
    return this.#answer('POST', path, schema, JSON.stringify(body));
  }

  /** The response as it came, whatever its status. Rejects with AppError `connect-failed`. */
  text(path: string): Promise<{ readonly status: number; readonly text: string }> {
    return this.#ask('GET', path);
  }

  async #answer<Schema extends z.ZodType>(
    method: string,
    path: string,
    schema: Schema,
    sent?: string,
  ): Promise<ApiAnswer<z.output<Schema>>> {
    const { status, text } = await this.#ask(method, path, sent);
    const body = parseJson(text);
    if (status === 401) {
      throw new AppError('config-invalid', this.#unauthorized());
    }
    if (status === 403)
      throw new AppError('config-invalid', `${this.url} changes nothing by REST until api_token is set in its config`);
    if (status === 404) {
      return { kind: 'not-found', message: refusalSchema.safeParse(body).data?.error ?? 'not found' };
    }
    const parsed = schema.safeParse(body);
    if (parsed.success && answers.includes(status)) return { kind: 'ok', body: parsed.data };
    const refusal = refusalSchema.safeParse(body).data?.error ?? 'that is not an answer of a program of adit';
    throw new AppError('input-invalid', `${this.url}${path}: ${refusal} (${status})`);
  }

  #unauthorized(): string {
    if (this.#token !== null) {
      const places = '--token, else ADIT_API_TOKEN, else api_token in the file of --config';
      return `${this.url} does not take the token that it got (${places}): it runs with another api_token`;
    }
    const remedy = 'set ADIT_API_TOKEN (of a manager: adit manager token prints one), or pass --config';
    return `${this.url} wants its api_token: ${remedy}`;
  }

  /** A connection that is refused is one thing, a program that keeps silent another. */
  #unanswered(cause: unknown): string {
    if (!isTimeout(cause) && !(cause instanceof Error && isTimeout(cause.cause))) {
      return `nothing answers at ${this.url} (is it running, and is that its api_addr?)`;
    }
    const remedy = 'the program there stands still (look at it with ps, restart it), or a firewall drops the packets';
    return `no answer from ${this.url} within ${this.#timeoutMs / 1000} s: ${remedy}`;
  }

  async #ask(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
    const headers = {
      ...(this.#token !== null && { authorization: `Bearer ${this.#token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const certificate = this.#certificate;
    const timeoutMs = this.#timeoutMs;
    try {
      if (certificate !== null) {
        return await pinnedRequest(`${this.url}${path}`, { method, headers, body, certificate, timeoutMs });
      }
      const response = await fetch(`${this.url}${path}`, {
        ...{ method, headers, signal: AbortSignal.timeout(timeoutMs) },
        ...(body !== undefined && { body }),
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      throw new AppError('connect-failed', this.#unanswered(cause), { cause });
    }
  }
}

/** From the flags, else from the config file, else a relay on this host. Rejects with AppError `config-invalid`. */
export async function openApi(flags: ApiFlags, environment: NodeJS.ProcessEnv): Promise<ApiClient> {
  const place = await placeOf(flags, environment);
  const token = flags.token ?? environment['ADIT_API_TOKEN'] ?? place.token;
  const url = flags.url ?? place.url;
  const certificate = flags.cert === undefined ? place.certificate : await readPem(flags.cert);
  if (/^https?:$/.test(URL.parse(url)?.protocol ?? '')) return new ApiClient(url, token, certificate);
  throw new AppError('config-invalid', `--url ${url}: must be an address such as http://${defaultAddress}`);
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

interface ApiPlace {
  readonly url: string;
  readonly token: string | null;
  /** PEM; null where an authority must have signed it. */
  readonly certificate: string | null;
}

async function placeOf({ config: path }: ApiFlags, environment: NodeJS.ProcessEnv): Promise<ApiPlace> {
  if (path === undefined) return { url: `http://${defaultAddress}`, token: null, certificate: null };
  if (programOf(await readJsonFile(path)) === 'manager') return managerPlace(path, environment);
  const { address, token } = await readApiConfig(path);
  return { url: `http://${reachable(address ?? defaultAddress)}`, token, certificate: null };
}

/** A manager on this host, whose certificate is a file here. */
async function managerPlace(path: string, environment: NodeJS.ProcessEnv): Promise<ApiPlace> {
  const { loadManagerConfig, certificatePathOf } = await import('../manager/config/manager-config.ts');
  const { config } = await loadManagerConfig(path, environment, process.cwd());
  const certificate = await readPem(certificatePathOf(config));
  return { url: `https://${reachable(config.listen[0] ?? '')}`, token: null, certificate };
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError('config-invalid', `the certificate ${path} cannot be read`, { cause });
  }
}

export interface ApiConfig {
  readonly address: string | null;
  readonly token: string | null;
  readonly tunnels: readonly { readonly id: string; readonly name?: string | undefined }[];
}

/** What commands need of the config of a relay or an edge. Rejects with AppError `config-invalid`. */
export async function readApiConfig(path: string): Promise<ApiConfig> {
  const content = await readJsonFile(path);
  const parsed = configSchema.safeParse(content);
  if (!parsed.success) {
    throw new AppError('config-invalid', `${path} is not a config of adit; adit check-config ${path} shows more`);
  }
  const { api_addr: one, api_addrs: several, api_token: token = null, tunnels } = parsed.data;
  const address = one ?? several?.[0] ?? null;
  const kind = programOf(content);
  if (address === null && kind !== 'relay') {
    throw new AppError(
      'config-invalid',
      `${path} has no api_addr, so its ${kind} answers nothing; set it, such as "127.0.0.1:4481"`,
    );
  }
  return { address, token, tunnels };
}

/** Where to dial what listens on every address of the host. */
function reachable(address: string): string {
  const parsed = parseHostPort(address);
  if (parsed === null) return address;
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[parsed.host] ?? parsed.host;
  return formatHostPort({ host, port: parsed.port });
}
