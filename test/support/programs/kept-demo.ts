import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { dirname, resolve } from 'node:path';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { until } from '../until.ts';

const adit = resolve(import.meta.dirname, '../../../bin/adit');
const deadlineMs = 240_000;

export interface DemoEnd {
  readonly status: number | null;
  readonly folder: string;
  readonly pids: readonly number[];
  readonly output: string;
}

/** `adit demo --keep` as a process, which a test ends as Ctrl-C does. */
export class KeptDemo implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  readonly #ended: Promise<number | null>;
  #output = '';

  constructor(args: readonly string[]) {
    this.#process = spawn(adit, ['demo', '--keep', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = once(this.#process, 'close').then(([status]) => status as number | null);
    const read = (text: Buffer): void => void (this.#output += text.toString());
    this.#process.stdout.on('data', read);
    this.#process.stderr.on('data', read);
  }

  /** The first group of the pattern, once the demo has printed it. */
  async prints(pattern: RegExp): Promise<string> {
    const found = (): string | undefined => pattern.exec(this.#output)?.[1];
    const isOver = (): boolean => found() !== undefined || this.#hasEnded;
    await until(isOver, { what: `the demo prints ${String(pattern)}`, timeoutMs: deadlineMs });
    const text = found();
    if (text === undefined) throw new Error(`the demo ended:\n${this.#output}`);
    return text;
  }

  /** Its status, and what it started, wrote and printed. */
  async interrupt(): Promise<DemoEnd> {
    this.#process.kill('SIGINT');
    const status = await this.#ended;
    const config = /adit manager -c (\S+)/.exec(this.#output)?.[1] ?? '';
    const pids = Array.from(this.#output.matchAll(/ pid (\d+): /g), ([, pid]) => Number(pid));
    return { status, folder: dirname(dirname(config)), pids, output: this.#output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.#process.kill('SIGINT');
    await this.#ended;
  }

  get #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
