import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';

export type LogLine = Readonly<Record<string, unknown>>;

const program = fileURLToPath(new URL('../../../bin/adit', import.meta.url));
/** A program that ends is noticed at once, so this is only for one that hangs: a busy machine takes tens of seconds. */
const startDeadlineMs = 120_000;
/** A relay drains for up to 10 s; the rest is margin. */
const stopDeadlineMs = 13_000;
const keptLines = 20;

interface Waiter {
  readonly message: string | RegExp;
  readonly resolve: (line: LogLine) => void;
  readonly reject: (error: Error) => void;
}

/** An `adit` program as a process of its own, followed by its log lines. */
export class ChildProgram implements AsyncDisposable {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #clock: Clock;
  readonly #lastLines: string[] = [];
  #waiter: Waiter | null = null;
  readonly #exit = Promise.withResolvers<number | NodeJS.Signals>();
  #exited = false;

  constructor(name: string, args: readonly string[], clock: Clock) {
    this.name = name;
    this.#clock = clock;
    this.#process = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    if (this.#process.stderr !== null) {
      createInterface({ input: this.#process.stderr }).on('line', (line) => this.#read(line));
    }
    this.#process.once('error', (error) => this.#end(error.message));
    // `close` comes after the last line was read.
    this.#process.once('close', (code, signal) => {
      this.#exit.resolve(signal ?? code ?? 0);
      this.#end(`it ended with ${signal ?? `status ${code ?? 0}`}`);
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /**
   * The first line from now on whose message is `message`, or matches it. Throws AppError with the last lines when the
   * program ends or is late.
   */
  async line(message: string | RegExp): Promise<LogLine> {
    if (this.#exited) throw this.#failure('it has ended');
    const timer = this.#clock.setTimeout(
      () => this.#fail(`it did not say "${String(message)}" in time`),
      startDeadlineMs,
    );
    try {
      return await new Promise<LogLine>((resolve, reject) => (this.#waiter = { message, resolve, reject }));
    } finally {
      timer.cancel();
    }
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

  #read(text: string): void {
    this.#lastLines.push(text);
    if (this.#lastLines.length > keptLines) this.#lastLines.shift();
    const line = parseLine(text);
    if (this.#waiter === null || line === null || !isSaid(this.#waiter.message, line['msg'])) return;
    this.#waiter.resolve(line);
    this.#waiter = null;
  }

  #end(what: string): void {
    this.#exited = true;
    this.#fail(what);
  }

  #fail(what: string): void {
    this.#waiter?.reject(this.#failure(what));
    this.#waiter = null;
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
