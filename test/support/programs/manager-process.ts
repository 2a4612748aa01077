import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { withoutConfig } from '../../../src/config/environment.ts';
import { freeTcpPort } from '../manager/free-tcp-port.ts';
import { pause } from '../pause.ts';
import { until } from '../until.ts';
import { aditPath, runAdit } from './adit-command.ts';

export interface ManagerProcessOptions {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Other instances are told its address. */
  readonly reachable?: boolean;
  /** A free one unless it is given. */
  readonly port?: number;
}

export interface ApiResult {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Short times, so that tests over real time need no patience. */
const hasty = { settle_secs: 1, retry_secs: 1, offline_grace_secs: 1 };

/** `adit manager` as a process of its own: it can be killed, stopped, and started again on its port. */
export class ManagerProcess implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'adit-managed-'));
  readonly port: number;
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;
  #output = '';
  #token: string | null = null;

  private constructor(port: number, { config, env = {}, reachable }: ManagerProcessOptions) {
    this.port = port;
    this.#env = env;
    const place = { listen: [`127.0.0.1:${port}`], ...(reachable && { instance_url: `https://127.0.0.1:${port}` }) };
    writeFileSync(this.configPath, JSON.stringify({ ...hasty, ...place, ...config }));
  }

  static async start(options: ManagerProcessOptions = {}): Promise<ManagerProcess> {
    const manager = new ManagerProcess(options.port ?? (await freeTcpPort()), options);
    await manager.resume();
    return manager;
  }

  get configPath(): string {
    return join(this.folder, 'manager.json');
  }

  get databasePath(): string {
    return join(this.folder, 'state', 'manager.db');
  }

  get url(): string {
    return `wss://127.0.0.1:${this.port}`;
  }

  /** Everything that it printed and logged so far, of all its lives. */
  get output(): string {
    return this.#output;
  }

  /** SHA-256 of its certificate, as it prints it. */
  get fingerprint(): string {
    return /^cert_fingerprint: (\w+)$/m.exec(this.#output)?.[1] ?? '';
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it (again); resolves when it serves, and rejects with what it printed where it does not start. */
  async resume(flags: readonly string[] = []): Promise<void> {
    const before = this.#output.length;
    const child = spawn(aditPath, ['manager', '-c', this.configPath, ...flags], {
      env: { ...withoutConfig(process.env), ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => (this.#output += data.toString()));
    }
    await until(
      () => {
        if (child.exitCode !== null) throw new Error(`the manager ended: ${this.#output.slice(before)}`);
        return this.#output.slice(before).includes('manager started');
      },
      { what: 'the manager started', pollMs: 20 },
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends it and waits for that: SIGKILL is a crash, SIGTERM the regular way. */
  async end(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** It does not run for a while (SIGSTOP). */
  async standStill(durationMs: number): Promise<void> {
    this.signal('SIGSTOP');
    await pause(durationMs);
    this.signal('SIGCONT');
  }

  command(...args: readonly string[]) {
    return runAdit(['manager', ...args, '-c', this.configPath], this.#env);
  }

  /** An API token of an administrator. */
  async token(): Promise<string> {
    if (this.#token !== null) return this.#token;
    const { out, err, status } = await this.command('token', 'test', '--role', 'admin');
    if (status !== 0) throw new Error(err);
    this.#token = out.trim();
    return this.#token;
  }

  /** As an administrator. `path` is below `/api/v1/`, or begins with a slash. */
  async api(method: string, path: string, body?: unknown): Promise<ApiResult> {
    const token = await this.token();
    const url = `https://127.0.0.1:${this.port}${path.startsWith('/') ? path : `/api/v1/${path}`}`;
    const content = body === undefined ? undefined : JSON.stringify(body);
    const { promise, resolve, reject } = Promise.withResolvers<ApiResult>();
    const sent = request(url, {
      ...{ method, rejectUnauthorized: false, agent: false, timeout: 10_000 },
      headers: {
        authorization: `Bearer ${token}`,
        ...(content !== undefined && { 'content-type': 'application/json' }),
      },
    });
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path} got no answer`)));
    sent.on('error', reject);
    sent.on('response', (response) => {
      text(response).then(
        (answer) => resolve({ status: response.statusCode ?? 0, body: asRecord(answer) }),
        (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
      );
    });
    sent.end(content);
    return promise;
  }

  /** As `api`; rejects unless it went well. */
  async done(method: string, path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.api(method, path, body);
    if (answer.status < 300) return answer.body;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  /** A node that may register: its id and token. */
  async add(name: string, kind: 'relay' | 'edge' = 'edge'): Promise<{ readonly id: string; readonly token: string }> {
    const body = await this.done('POST', 'nodes', { name, kind });
    return { id: String(body['id']), token: String(body['registration_token']) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGCONT');
    await this.end('SIGTERM');
    if (existsSync(this.folder)) rmSync(this.folder, { recursive: true, force: true });
  }
}

function asRecord(answer: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(answer) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
