import { Worker } from 'node:worker_threads';
import type { LoopPulse } from '../../lib/loop-pulse.ts';

/**
 * A loop that has not turned for this long carries nothing any more, and nothing in it can mend that (docs/quiche.md).
 */
export const loopLimitMs = 10_000;

/**
 * Ends the process with SIGABRT when its event loop is stuck. A thread of its own watches, since a loop that is stuck
 * in a native call runs no timer. What supervises the process (systemd, a container runtime) then starts a sound one.
 * The thread lives until what this returns is disposed of.
 */
export function startLoopWatchdog(pulse: LoopPulse): Disposable {
  const { turns, limitMs } = pulse;
  const worker = new Worker(new URL('./loop-watchdog-thread.ts', import.meta.url), { workerData: { turns, limitMs } });
  worker.unref();
  return { [Symbol.dispose]: () => void worker.terminate() };
}
