import type { QuicheHandle } from '../binding.ts';

/** Something that goes on when more of what was sent has arrived. */
interface Held {
  /** Goes on, or asks to be held again. */
  resume(): void;
}

interface ArrivalsOwner {
  /** Our idle timeout. */
  readonly idleMs: number;
  nowMs(): number;
  flush(): void;
}

/** For what passes between a packet's coming and the clock's being read. */
const idleMarginMs = 1000;
/** For acknowledgements that wait; beside round trips. */
const marginMs = 25;
/** Asking for the round trip costs 9 µs. */
const roundTripAgeMs = 5;
/** How often held streams are resumed. */
const pauseMs = 5;

/** Estimates when sent data must have arrived, because quiche does not report acknowledgements. */
export class Arrivals {
  /** When the peer's last packets were received. */
  heardAtMs = Number.NEGATIVE_INFINITY;
  readonly #handle: QuicheHandle;
  readonly #owner: ArrivalsOwner;
  #held = new Set<Held>();
  #resumedAtMs = Number.NEGATIVE_INFINITY;
  #idleMs: number | null = null;
  #roundTripMs = 0;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(handle: QuicheHandle, owner: ArrivalsOwner) {
    this.#handle = handle;
    this.#owner = owner;
  }

  get nowMs(): number {
    return this.#owner.nowMs();
  }

  /** When `resume` has something to do. */
  get dueMs(): number {
    return this.#held.size > 0 ? this.#resumedAtMs + pauseMs : Number.POSITIVE_INFINITY;
  }

  /** True when no packet waits for an acknowledgement, so everything that was sent has arrived. */
  isQuiet(): boolean {
    if (!this.#nothingIsUnderWay()) return false;
    // What an acknowledgement has just shown to be lost is to be sent again first.
    this.#owner.flush();
    return this.#nothingIsUnderWay();
  }

  /**
   * Returns a time: what was sent before it has arrived, unless it needs more than `roundTrips`. Counted back from the
   * peer's last packet, because acknowledgements may be missing while the peer is silent or this program is busy.
   */
  horizonMs(roundTrips: number): number {
    if (this.heardAtMs >= this.#askedAtMs + roundTripAgeMs) {
      this.#askedAtMs = this.heardAtMs;
      this.#roundTripMs = this.#handle.pathStats()[0]?.rtt ?? 0;
    }
    return this.heardAtMs - roundTrips * this.#roundTripMs - marginMs;
  }

  hold(held: Held): void {
    this.#held.add(held);
  }

  resume(nowMs: number): void {
    if (nowMs < this.dueMs) return;
    this.#resumedAtMs = nowMs;
    const held = this.#held;
    this.#held = new Set();
    for (const one of held) one.resume();
  }

  /** While packets are in flight, quiche's next timeout is a probe. Otherwise it is the idle timeout. */
  #nothingIsUnderWay(): boolean {
    this.#idleMs ??= this.#agreedIdleMs();
    const leftMs = this.#idleMs - (this.nowMs - this.heardAtMs) - idleMarginMs;
    // A peer that is silent for long may have made probes as rare as that.
    return leftMs > this.#idleMs / 2 && (this.#handle.timeout() ?? 0) > leftMs;
  }

  #agreedIdleMs(): number {
    const ofPeer = this.#handle.stats().peerMaxIdleTimeout;
    return ofPeer === 0 ? this.#owner.idleMs : Math.min(ofPeer, this.#owner.idleMs);
  }
}
