import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import process from 'node:process';

const pollMs = 20;
/** A busy machine takes half a minute to start a program. */
const startDeadlineMs = 120_000;
const shownCharacters = 300;

/** None outlives the benchmark. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface ChildSettings {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Both outputs go there: a pipe would have to be read by a process that shall not use the CPU. */
  readonly logPath: string;
}

/** A program that the benchmark measures or needs, as a process of its own. */
export class Child implements AsyncDisposable {
  readonly #settings: ChildSettings;
  readonly #process: ChildProcess;
  #failure: string | null = null;

  constructor(settings: ChildSettings) {
    this.#settings = settings;
    const log = openSync(settings.logPath, 'w');
    this.#process = spawn(settings.command, settings.args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#process.once('error', (error) => (this.#failure = error.message));
    running.add(this.#process);
    this.#process.once('exit', (code, signal) => {
      running.delete(this.#process);
      this.#failure = `it ended with ${signal ?? `status ${code ?? '?'}`}`;
    });
  }

  /** Throws when the program could not be started. */
  get pid(): number {
    if (this.#process.pid === undefined) throw this.#error('could not be started');
    return this.#process.pid;
  }

  /** Waits until the program has written what `pattern` matches. Rejects with its last words when it ends or is late. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.has(() => pattern.exec(readFileSync(this.#settings.logPath, 'utf8')), `say ${pattern.source}`);
  }

  /** Waits until `look` finds something. Rejects as `says` does; `what` completes "it did not". */
  async has<Found>(look: () => Found | null, what: string): Promise<Found> {
    const deadlineMs = performance.now() + startDeadlineMs;
    for (;;) {
      const found = look();
      if (found !== null) return found;
      if (this.#failure !== null) throw this.#error(this.#failure);
      if (performance.now() > deadlineMs) throw this.#error(`it did not ${what} in time`);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  /** At once: what the benchmark starts holds nothing that a clean end would save. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode, pid } = this.#process;
    if (exitCode !== null || signalCode !== null || pid === undefined) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }

  #error(what: string): Error {
    const words = readFileSync(this.#settings.logPath, 'utf8').slice(-shownCharacters).replaceAll(/\s+/g, ' ').trim();
    return new Error(`${this.#settings.name}: ${what}; its last words: ${words}`);
  }
}
