import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { EngineName } from '../src/quic/engine-report.ts';
import type { EdgeCallName, EdgeCalls, EdgeReply, EdgeRequest } from './edge/edge-calls.ts';

const worker = fileURLToPath(new URL('edge-worker.ts', import.meta.url));
/** Longer than anything that an edge is asked to do. */
const answerDeadlineMs = 120_000;

type Args<Name extends EdgeCallName> = Parameters<EdgeCalls[Name]>[0];
type Result<Name extends EdgeCallName> = Awaited<ReturnType<EdgeCalls[Name]>>;

/** A process that plays edges. */
export class EdgeProcess implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 1;

  private constructor(process: ChildProcess) {
    this.#process = process;
    process.on('message', (reply: EdgeReply) => this.#settle(reply));
    process.once('exit', (code, signal) =>
      this.#end(`an edge process ended with ${signal ?? `status ${code ?? '?'}`}`),
    );
  }

  /** `folder` is made for it; its engine is the one that costs the machine least. */
  static async start(folder: string, engine: EngineName): Promise<EdgeProcess> {
    mkdirSync(folder, { recursive: true });
    const execArgv = ['--disable-warning=ExperimentalWarning'];
    const child = fork(worker, [folder, engine], { execArgv, serialization: 'advanced' });
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('an edge process did not start')));
    await Promise.race([once(child, 'message'), ended]);
    ended.catch(() => undefined);
    return new EdgeProcess(child);
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error('the edge process did not start');
    return this.#process.pid;
  }

  /** Rejects with what went wrong there, when it ended, or when it does not answer. */
  async call<Name extends EdgeCallName>(name: Name, args: Args<Name>): Promise<Result<Name>> {
    const request: EdgeRequest = { id: this.#nextId++, name, args };
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(request.id, waiting);
    const timer = setTimeout(() => waiting.reject(new Error(`no answer to ${name} in time`)), answerDeadlineMs);
    this.#process.send(request);
    try {
      // The worker runs the method of this name, whose result this is.
      return (await waiting.promise) as Result<Name>;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(request.id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, 'exit');
    // It holds nothing that a clean end would save, and thousands of connections would take long to close.
    this.#process.kill('SIGKILL');
    await exit;
  }

  #settle(reply: EdgeReply): void {
    const waiting = this.#waiting.get(reply.id);
    if (reply.kind === 'done') waiting?.resolve(reply.result);
    else waiting?.reject(new Error(reply.reason));
  }

  #end(reason: string): void {
    for (const waiting of this.#waiting.values()) waiting.reject(new Error(reason));
  }
}
