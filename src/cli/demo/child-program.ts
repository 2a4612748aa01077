import { spawn, type ChildProcess } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { withoutConfig } from '../../config/environment.ts';
import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';

export type LogLine = Readonly<Record<string, unknown>>;

const program = fileURLToPath(new URL('../../../bin/adit', import.meta.url));
/** A program that ends is noticed at once, so this is only for one that hangs: a busy machine takes tens of seconds. */
const startDeadlineMs = 120_000;
/** A relay drains for up to 10 s; the rest is margin. */
const stopDeadlineMs = 13_000;
const keptLines = 20;

type Output = 'log' | 'results';

interface Waiter {
  readonly output: Output;
  /** Settles the wait when it is this line. */
  readonly look: (text: string) => void;
  readonly reject: (error: Error) => void;
}

/**
 * An `adit` program as a process of its own, followed by its lines: its log, and what it prints. `wrapper` is a command
 * that starts it.
 */
export class ChildProgram implements AsyncDisposable {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #clock: Clock;
  readonly #lastLines: string[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #exit = Promise.withResolvers<number | NodeJS.Signals>();
  #exited = false;

  constructor(name: string, args: readonly string[], clock: Clock, wrapper: readonly string[] = []) {
    this.name = name;
    this.#clock = clock;
    const [command = program, ...rest] = [...wrapper, program, ...args];
    this.#process = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: withoutConfig(process.env) });
    const { stdout, stderr } = this.#process;
    const followed = Promise.all([this.#follow(stdout, 'results'), this.#follow(stderr, 'log')]);
    this.#process.once('error', (error) => this.#end(error.message));
    this.#process.once('close', (code, signal) => {
      void followed.then(() => {
        this.#exit.resolve(signal ?? code ?? 0);
        this.#end(`it ended with ${signal ?? `status ${code ?? 0}`}`);
      });
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /**
   * The first line from now on whose message is `message`, or matches it. Throws AppError with the last lines when the
   * program ends or is late.
   */
  line(message: string | RegExp): Promise<LogLine> {
    return this.#wait(`it did not say "${String(message)}" in time`, 'log', (text) => {
      const line = parseLine(text);
      return line !== null && isSaid(message, line['msg']) ? line : null;
    });
  }

  /** The first group of the pattern, in the first line from now on that it matches. Throws as `line` does. */
  printed(pattern: RegExp): Promise<string> {
    const late = `it did not print ${String(pattern)} in time`;
    return this.#wait(late, 'results', (text) => pattern.exec(text)?.[1] ?? null);
  }

  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  /** Its status, or the signal that ended it. */
  exit(): Promise<number | NodeJS.Signals> {
    return this.#exit.promise;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exited) return;
    this.kill('SIGTERM');
    const timer = this.#clock.setTimeout(() => this.kill('SIGKILL'), stopDeadlineMs);
    await this.exit();
    timer.cancel();
  }

  async #wait<Found>(late: string, output: Output, find: (text: string) => Found | null): Promise<Found> {
    if (this.#exited) throw this.#failure('it has ended');
    const { promise, resolve, reject } = Promise.withResolvers<Found>();
    const look = (text: string): void => {
      const found = find(text);
      if (found !== null) resolve(found);
    };
    const waiter: Waiter = { output, look, reject };
    this.#waiters.add(waiter);
    const timer = this.#clock.setTimeout(() => reject(this.#failure(late)), startDeadlineMs);
    try {
      return await promise;
    } finally {
      timer.cancel();
      this.#waiters.delete(waiter);
    }
  }

  /** Resolves when the last line was read. */
  async #follow(stream: Readable | null, output: Output): Promise<void> {
    if (stream === null) return;
    for await (const line of createInterface({ input: stream })) {
      this.#read(line, output);
      // Lines arrive together: whoever waited for this one can wait for the next before it is read.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #read(text: string, output: Output): void {
    if (output === 'log') this.#lastLines.push(text);
    if (this.#lastLines.length > keptLines) this.#lastLines.shift();
    for (const waiter of this.#waiters) if (waiter.output === output) waiter.look(text);
  }

  #end(what: string): void {
    this.#exited = true;
    for (const { reject } of this.#waiters) reject(this.#failure(what));
  }

  #failure(what: string): AppError {
    const lines = this.#lastLines;
    const said = lines.length === 0 ? 'it has logged nothing' : 'its last lines:';
    return new AppError('closed', [`the ${this.name}: ${what}; ${said}`, ...lines].join('\n'));
  }
}

function isSaid(wanted: string | RegExp, said: unknown): boolean {
  return typeof said === 'string' && (typeof wanted === 'string' ? said === wanted : wanted.test(said));
}

function parseLine(text: string): LogLine | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    // Not a log line, such as a crash report of Node: kept for the error message only.
    return null;
  }
}
