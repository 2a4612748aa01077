import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';

export const masterKey = 'ab'.repeat(32);
/** Those with which `bin/adit` runs a manager; the others get the same. */
const execArgv = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2', '--no-parallel-scavenge'];

/** Compiled code between runs, as `bin/adit` keeps it: to strip types and to compile takes 14 MB. */
const codeFolder = join(import.meta.dirname, '../../node_modules/.cache/adit-bench');

/** A part of the benchmark as a process of its own, which answers each message with one. */
export class BenchChild implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #answers: unknown[] = [];
  #wake: () => void = () => undefined;

  constructor(script: string, args: readonly string[]) {
    // On PostgreSQL the key has to be given. The others as in `bin/adit`.
    const ours = { ADIT_MASTER_KEY: masterKey, NODE_COMPILE_CACHE: codeFolder, MALLOC_MMAP_THRESHOLD_: '65536' };
    const env = { ...process.env, ...ours };
    this.#child = fork(join(import.meta.dirname, script), args, { execArgv, env });
    this.#child.on('message', (answer) => {
      this.#answers.push(answer);
      this.#wake();
    });
    this.#child.on('exit', () => this.#wake());
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ask<Answer>(question: object): Promise<Answer> {
    this.#child.send(question);
    return this.answer<Answer>();
  }

  /** The next message; rejects when the process ends. */
  async answer<Answer>(): Promise<Answer> {
    while (this.#answers.length === 0) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error('a bench process ended');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#answers.shift() as Answer;
  }

  /** With -9: nothing is given back in order. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
