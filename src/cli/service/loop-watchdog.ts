import { Worker } from 'node:worker_threads';
import type { Clock } from '../../lib/clock.ts';

/**
 * A loop that has not turned for this long carries nothing any more, and nothing in it can mend that (docs/quiche.md).
 */
const stallLimitMs = 10_000;

const beatsPerLimit = 10;

/**
 * Ends the process with SIGABRT when its event loop does not turn for `limitMs`: a thread of its own watches, since a
 * loop that is stuck in a native call runs no timer. What supervises the process (systemd, a container runtime) then
 * starts a sound one. The process lives until what it returns is disposed of.
 */
export function startLoopWatchdog(clock: Clock, limitMs = stallLimitMs): Disposable {
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(new URL('./loop-watchdog-thread.ts', import.meta.url), { workerData: { beats, limitMs } });
  worker.unref();
  const timer = clock.setInterval(() => {
    Atomics.add(beats, 0, 1);
    Atomics.notify(beats, 0);
  }, limitMs / beatsPerLimit);
  return {
    [Symbol.dispose]: () => {
      timer.cancel();
      void worker.terminate();
    },
  };
}
