import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { parseSocketAddress } from '../../../src/lib/socket-address.ts';
import type { RelayStats } from '../../../src/protocol/node/relay-telemetry.ts';
import type { EngineName, EngineReport } from '../../../src/quic/engine-report.ts';
import type { SocketAddress } from '../../../src/quic/types.ts';
import { pause } from '../pause.ts';
import type { TunnelDetail } from '../../../src/relay/report/relay-report.ts';

export interface RelayOrder {
  readonly engine: EngineName;
  readonly config: Readonly<Record<string, unknown>>;
  readonly resetKeyHex: string;
}

export interface RelayQuestion {
  readonly id: number;
  readonly ask: 'snapshot' | 'stop';
}

/** What a relay in a process of its own says of itself. */
export interface RelaySnapshot {
  readonly address: string;
  readonly rssBytes: number;
  /** Of the JavaScript heap what is in use; what buffers hold outside of it. */
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly cpuMs: number;
  readonly unhandledRejections: number;
  readonly engine: EngineReport;
  readonly stats: RelayStats;
  readonly tunnels: readonly TunnelDetail[];
  /** Count of events by kind. */
  readonly events: Readonly<Record<string, number>>;
}

interface Answer {
  readonly id: number;
  readonly snapshot: RelaySnapshot;
}

const startMs = 20_000;

/** A relay in a process of its own: its memory can be measured, and it can be killed and started again on its port. */
export class RelayProcess implements AsyncDisposable {
  readonly address: SocketAddress;
  readonly order: RelayOrder;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (snapshot: RelaySnapshot) => void>();
  #asked = 0;

  private constructor(child: ChildProcess, order: RelayOrder, address: SocketAddress) {
    this.#child = child;
    this.order = order;
    this.address = address;
    child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer.snapshot);
      this.#waiting.delete(answer.id);
    });
  }

  static async start(options: {
    readonly engine: EngineName;
    readonly config?: Readonly<Record<string, unknown>>;
    readonly resetKeyHex?: string;
  }): Promise<RelayProcess> {
    const { engine, config = {}, resetKeyHex = randomBytes(32).toString('hex') } = options;
    const order = { engine, config, resetKeyHex };
    const child = fork(new URL('./relay-process-child.ts', import.meta.url), [JSON.stringify(order)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // As bin/adit starts it.
      execArgv: ['--max-semi-space-size=4'],
    });
    const signal = AbortSignal.timeout(startMs);
    const [answer] = (await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(() => {
        throw new Error('the relay ended before it had started');
      }),
    ])) as [Answer];
    const address = parseSocketAddress(answer.snapshot.address);
    if (address === null) throw new Error(`no address: ${answer.snapshot.address}`);
    return new RelayProcess(child, order, address);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  snapshot(): Promise<RelaySnapshot> {
    if (!this.isRunning) return Promise.reject(new Error('the relay has ended'));
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error('the relay ended'));
      this.#child.once('exit', onExit);
      this.#waiting.set(id, (snapshot) => {
        this.#child.off('exit', onExit);
        resolve(snapshot);
      });
      this.#child.send({ id, ask: 'snapshot' } satisfies RelayQuestion);
    });
  }

  /** It does not run for a while (SIGSTOP): what is sent to it waits in its sockets. */
  async standStill(durationMs: number): Promise<void> {
    this.#child.kill('SIGSTOP');
    await pause(durationMs);
    this.#child.kill('SIGCONT');
  }

  /** kill -9: nothing is said to anybody. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  /** A new process in the place of one that was killed: same port, same key for stateless resets. */
  restart(): Promise<RelayProcess> {
    const { engine, config, resetKeyHex } = this.order;
    const quicAddrs = [`${this.address.ip}:${this.address.port}`];
    return RelayProcess.start({ engine, config: { ...config, quic_addrs: quicAddrs }, resetKeyHex });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.#child, 'exit');
    this.#child.send({ id: 0, ask: 'stop' } satisfies RelayQuestion);
    await exited;
  }
}
