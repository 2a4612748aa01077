import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SocketAddress } from '../../src/quic/types.ts';
import type { PathCounts } from '../../test/support/network/faulty-path.ts';
import type { PathAnswer, PathFaults, PathOrder, PathReply, PathRequest } from './path-calls.ts';

const worker = fileURLToPath(new URL('path-worker.ts', import.meta.url));

export interface PathSettings {
  readonly target: SocketAddress;
  readonly seed: number;
  readonly faults: PathFaults;
  /** Only the client that came first, where others use the same address on a good path. */
  readonly impairs: 'all' | 'first';
}

/** One UDP path to a target. */
export interface BenchPath {
  /** What clients send to. */
  readonly address: SocketAddress;
  set(faults: PathFaults): Promise<void>;
  /** What happened to packets on their way to the target. */
  counts(): Promise<PathCounts>;
  close(): Promise<void>;
}

/** The process through which every packet of the benchmark passes. */
export class PathProcess implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<PathAnswer>>();
  #nextId = 1;

  private constructor(process: ChildProcess) {
    this.#process = process;
    process.on('message', ({ id, answer }: PathReply) => {
      this.#waiting.get(id)?.resolve(answer);
      this.#waiting.delete(id);
    });
    process.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the process of the paths has ended'));
    });
  }

  static async start(): Promise<PathProcess> {
    const child = fork(worker, [], { execArgv: ['--disable-warning=ExperimentalWarning'] });
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('the process of the paths did not start')));
    await Promise.race([once(child, 'message'), ended]);
    ended.catch(() => undefined);
    return new PathProcess(child);
  }

  async open(settings: PathSettings): Promise<BenchPath> {
    const opened = await this.#ask({ kind: 'open', ...settings });
    if (opened.kind !== 'opened') throw new Error('no path was opened');
    const { path, address } = opened;
    return {
      address,
      set: async (faults) => {
        await this.#ask({ kind: 'set', path, faults });
      },
      counts: async () => {
        const counted = await this.#ask({ kind: 'counts', path });
        if (counted.kind !== 'counted') throw new Error('nothing was counted');
        return counted.up;
      },
      close: async () => {
        await this.#ask({ kind: 'close', path });
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }

  async #ask(order: PathOrder): Promise<PathAnswer> {
    const request: PathRequest = { id: this.#nextId++, order };
    const waiting = Promise.withResolvers<PathAnswer>();
    this.#waiting.set(request.id, waiting);
    this.#process.send(request);
    const answer = await waiting.promise;
    if (answer.kind === 'failed') throw new Error(answer.reason);
    return answer;
  }
}
