import { SystemClock } from '../../../src/lib/clock.ts';

/** The system's clock, whose date somebody sets; monotonic time goes on. */
export class ShiftedClock extends SystemClock {
  shiftMs = 0;

  override now(): number {
    return super.now() + this.shiftMs;
  }
}
