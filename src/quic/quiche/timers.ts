import type { Clock, Timer } from '../../lib/clock.ts';

/** Something that wants to be called at a time; belongs to one Timers at most. */
export interface TimerMember {
  /** Kept by Timers: position in its heap, -1 when not waiting. */
  heapIndex: number;
  /** Kept by Timers: milliseconds of the monotonic clock. */
  dueMs: number;
  onDeadline(nowMs: number): void;
}

/** Members called per event-loop turn at most, so that thousands of timers at once do not hold packets up. */
const maxPerTurn = 500;

/** A binary heap behind one timer: thousands of connections would otherwise set and clear a Node timer per packet. */
export class Timers {
  readonly #clock: Clock;
  readonly #heap: TimerMember[] = [];
  #timer: Timer | null = null;
  #timerDueMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(member: TimerMember, dueMs: number): void {
    member.dueMs = dueMs;
    if (member.heapIndex < 0) {
      member.heapIndex = this.#heap.length;
      this.#heap.push(member);
    }
    this.#siftUp(member.heapIndex);
    this.#siftDown(member.heapIndex);
    this.#arm();
  }

  remove(member: TimerMember): void {
    const at = member.heapIndex;
    if (at < 0) return;
    member.heapIndex = -1;
    const last = this.#heap.pop();
    if (last !== undefined && last !== member) {
      this.#place(last, at);
      this.#siftUp(at);
      this.#siftDown(last.heapIndex);
    }
    if (this.#heap.length === 0) this.#disarm();
  }

  #fire(): void {
    this.#timer = null;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonicMs();
    for (let count = 0; count < maxPerTurn; count += 1) {
      const next = this.#heap[0];
      if (next === undefined || next.dueMs > nowMs) break;
      this.remove(next);
      next.onDeadline(nowMs);
    }
    this.#arm();
  }

  /**
   * A timer that would fire too early is left alone: waking up for nothing is cheaper than setting it anew for each
   * packet.
   */
  #arm(): void {
    const next = this.#heap[0];
    if (next === undefined || next.dueMs >= this.#timerDueMs) return;
    this.#disarm();
    this.#timerDueMs = next.dueMs;
    // Node's timers count whole milliseconds and would fire a fraction early, for nothing.
    const delayMs = Math.max(0, Math.ceil(next.dueMs - this.#clock.monotonicMs()));
    this.#timer = this.#clock.setTimeout(() => this.#fire(), delayMs);
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
  }

  #siftUp(from: number): void {
    let at = from;
    const member = this.#at(at);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = this.#at(parentAt);
      if (parent.dueMs <= member.dueMs) break;
      this.#place(parent, at);
      at = parentAt;
    }
    this.#place(member, at);
  }

  #siftDown(from: number): void {
    let at = from;
    const member = this.#at(at);
    for (;;) {
      const leftAt = at * 2 + 1;
      if (leftAt >= this.#heap.length) break;
      const rightAt = leftAt + 1;
      const childAt =
        rightAt < this.#heap.length && this.#at(rightAt).dueMs < this.#at(leftAt).dueMs ? rightAt : leftAt;
      const child = this.#at(childAt);
      if (child.dueMs >= member.dueMs) break;
      this.#place(child, at);
      at = childAt;
    }
    this.#place(member, at);
  }

  #at(index: number): TimerMember {
    const member = this.#heap[index];
    if (member === undefined) throw new RangeError(`no deadline at ${index}`);
    return member;
  }

  #place(member: TimerMember, index: number): void {
    this.#heap[index] = member;
    member.heapIndex = index;
  }
}
