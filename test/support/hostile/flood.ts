import { Worker } from 'node:worker_threads';
import type { SocketAddress } from '../../../src/quic/types.ts';
import { garbageKinds, type GarbageKind } from './garbage.ts';

export interface FloodOrder {
  readonly target: SocketAddress;
  readonly packetsPerSecond: number;
  readonly durationMs: number;
  readonly kinds: readonly GarbageKind[];
  readonly seed: number;
}

export interface FloodResult {
  readonly sent: number;
  /** Not taken by the kernel. */
  readonly failed: number;
  readonly elapsedMs: number;
}

/** Floods `target` with garbage from a thread of its own; resolves when the time is over. */
export async function flood(order: Partial<FloodOrder> & Pick<FloodOrder, 'target'>): Promise<FloodResult> {
  const workerData: FloodOrder = {
    packetsPerSecond: 100_000,
    durationMs: 10_000,
    kinds: garbageKinds,
    seed: 1,
    ...order,
  };
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./flood-worker.ts', import.meta.url), { workerData });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => {
      if (code !== 0) reject(new Error(`the flood ended with code ${code}`));
    });
  });
}
