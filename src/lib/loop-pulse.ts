import { writeSync } from 'node:fs';
import process from 'node:process';
import type { Clock } from './clock.ts';
import { loopTimeMs } from './loop-time.ts';
import { monotonicNs } from './monotonic-ns.ts';

/** Shared with the thread that watches: an event loop counts its turns in `turns`. */
export interface LoopPulse {
  readonly turns: Int32Array;
  /** A loop that has not turned for one and a half times as long is stuck. */
  readonly limitMs: number;
}

const turnsPerLimit = 10;
/** At most: the thread that receives beats asks after each batch of them. */
const looksPerLimit = 20;
const standardError = 2;

/** Counts the turns of this event loop until it is disposed of. */
export function startLoopPulse(clock: Clock, limitMs: number): LoopPulse & Disposable {
  const turns = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const timer = clock.setInterval(() => Atomics.add(turns, 0, 1), limitMs / turnsPerLimit);
  return { turns, limitMs, [Symbol.dispose]: () => timer.cancel() };
}

/** The watching side, for a thread that looks at least twice within the limit. */
export class LoopGuard {
  readonly #pulse: LoopPulse;
  #seen: number | null = null;
  #lookedMs = 0;
  #stuckMs = 0;
  #nextLookMs = 0;

  constructor(pulse: LoopPulse) {
    this.#pulse = pulse;
  }

  /** Whether the loop is stuck at `nowMs`, a time of `loopTimeMs`. */
  isStuck(nowMs: number): boolean {
    const { turns, limitMs } = this.#pulse;
    const count = Atomics.load(turns, 0);
    // Of a long time without a look only a part counts: the whole process was paused, by SIGSTOP or with its machine.
    const sinceMs = Math.min(nowMs - this.#lookedMs, limitMs / 2);
    this.#stuckMs = count === this.#seen ? this.#stuckMs + sinceMs : 0;
    this.#seen = count;
    this.#lookedMs = nowMs;
    return this.#stuckMs >= 1.5 * limitMs;
  }

  /** Ends the process with SIGABRT when the loop is stuck, so that its supervisor starts a sound one. */
  endIfStuck(): void {
    const nowMs = Number(monotonicNs()) / 1e6;
    if (nowMs < this.#nextLookMs) return;
    this.#nextLookMs = nowMs + this.#pulse.limitMs / looksPerLimit;
    if (!this.isStuck(loopTimeMs())) return;
    const seconds = (1.5 * this.#pulse.limitMs) / 1000;
    // `process.stderr` of a thread goes through the loop that is stuck.
    writeSync(standardError, `adit: the event loop has not turned for ${seconds} s, ending\n`);
    process.kill(process.pid, 'SIGABRT');
    // The signal takes a moment, in which this thread must not go on.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0);
  }
}
