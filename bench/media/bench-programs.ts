import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { freePort } from '../../src/cli/demo/free-port.ts';

export const aditPath = fileURLToPath(new URL('../../bin/adit', import.meta.url));

const connectMs = 30_000;

interface FlowStats {
  readonly flow_id: string;
  readonly input: { readonly bytes_received: number; readonly bitrate_bps: number; readonly state: string } | null;
}

/** An edge in a process of its own. */
export class BenchEdge {
  readonly child: ChildProcess;
  readonly url: string;

  constructor(child: ChildProcess, apiAddr: string) {
    this.child = child;
    this.url = `http://${apiAddr}`;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Waits until so many of its flows whose id begins so get at least `bits` a second. */
  async receives(prefix: string, flows: number, bits: number): Promise<void> {
    const deadline = performance.now() + connectMs + flows * 1000;
    for (;;) {
      const rates = (await this.#flows(prefix)).map(({ input }) => input?.bitrate_bps ?? 0);
      if (rates.filter((rate) => rate >= bits).length === flows) return;
      if (performance.now() > deadline) throw new Error(`not all streams came through: ${rates.join(', ')} bit/s`);
      await pause(500);
    }
  }

  async receivedBytes(prefix: string): Promise<number> {
    return (await this.#flows(prefix)).reduce((sum, { input }) => sum + (input?.bytes_received ?? 0), 0);
  }

  async #flows(prefix: string): Promise<readonly FlowStats[]> {
    const answer = await fetch(`${this.url}/api/v1/flows`).catch(() => null);
    const flows = answer === null ? [] : ((await answer.json()) as readonly FlowStats[]);
    return flows.filter(({ flow_id: id }) => id.startsWith(prefix));
  }
}

/** Everything that one measurement has started. */
export class BenchPrograms implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'adit-bench-media-'));
  readonly #children: ChildProcess[] = [];
  readonly #feeders: Worker[] = [];

  run(command: string, args: readonly string[]): ChildProcess {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#children.push(child);
    return child;
  }

  /** `config` beside the keys that every edge of a benchmark has. */
  async startEdge(name: string, config: object): Promise<BenchEdge> {
    const apiAddr = `127.0.0.1:${await freePort()}`;
    const path = join(this.folder, `${name}.json`);
    const keys = { edge_id: name, tunnels: [], ...config, api_addr: apiAddr, log_level: 'fatal' };
    writeFileSync(path, JSON.stringify(keys));
    return new BenchEdge(this.run(aditPath, ['edge', '-c', path]), apiAddr);
  }

  /** The same stream of pictures to each port, from a thread of its own, until the returned function is called. */
  feed(ports: readonly number[], bitsPerSecond: number): () => void {
    const feeder = new Worker(new URL('./feeder.ts', import.meta.url), { workerData: { ports, bitsPerSecond } });
    this.#feeders.push(feeder);
    return () => void feeder.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#feeders.map((feeder) => feeder.terminate()));
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
