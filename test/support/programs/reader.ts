import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { withoutConfig } from '../../../src/config/environment.ts';
import { listFiles, repository } from '../markdown.ts';
import { until } from '../until.ts';

/** A checkout as a user has it after `npm ci`, and a shell in it. */
export class Reader implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'adit-docs-'));
  readonly #running: ChildProcess[] = [];

  constructor() {
    for (const file of listFiles()) cpSync(join(repository, file), join(this.folder, file));
    symlinkSync(join(repository, 'node_modules'), join(this.folder, 'node_modules'));
  }

  type(command: string, env: NodeJS.ProcessEnv = {}): string {
    const options = { cwd: this.folder, env: { ...process.env, ...env } };
    return execFileSync('bash', ['-euo', 'pipefail', '-c', command], { ...options, encoding: 'utf8' });
  }

  /** Resolves when the program has said that it started, with what it has printed by then. */
  startInBackground(command: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    return this.leaveRunning(command, { says: /(manager|relay|edge|observer) started/, env });
  }

  /** Resolves when the program has said these words, with what it has printed by then. */
  async leaveRunning(command: string, { says, env = {} }: { says: RegExp; env?: NodeJS.ProcessEnv }): Promise<string> {
    const child = spawn('bash', ['-c', `exec ${command}`], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...withoutConfig(process.env), ...env },
      // A group of its own, which ends with it: some programs are scripts that start others.
      detached: true,
    });
    this.#running.push(child);
    let output = '';
    const read = (text: Buffer): void => void (output += text.toString());
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    await until(() => says.test(output), { what: `${command} says ${String(says)}`, timeoutMs: 90_000 });
    return output;
  }

  /** Saves a file under the checkout, in a folder that is made for it. */
  save(file: string, content: string): void {
    const path = join(this.folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), 'utf8');
  }

  /** What stands in place of a file's keys where a default port may be taken. */
  change(file: string, keys: object): void {
    const path = join(this.folder, file);
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...keys }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.#running.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const ended = running.map((child) => once(child, 'exit'));
    for (const child of this.#running) end(child, 'SIGTERM');
    await Promise.all(ended);
    for (const child of this.#running) end(child, 'SIGKILL');
    rmSync(this.folder, { recursive: true, maxRetries: 5 });
  }
}

/** Ends what is left of its group. */
function end({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nothing of it is left.
  }
}
