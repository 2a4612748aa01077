import type { Clock } from '../../lib/clock.ts';

/** A connection as the event loop sees it. Neither method may throw. */
export interface LoopMember {
  /** Kept by Loop. */
  receiveQueued: boolean;
  transmitQueued: boolean;
  /** Takes what has arrived and calls back; may ask for itself and others to be called again. */
  receive(nowMs: number): void;
  /** Sends what is due, up to a share of the turn. True: more is ready to be sent. Calls no handler. */
  transmit(nowMs: number): boolean;
}

/**
 * Gathers what a turn of the event loop brings (libuv hands over at most 32 packets per socket and turn). Serves each
 * connection once at the end of the turn. So one batch costs one flush per connection, every callback comes from the
 * event loop, and a flood starves neither timers nor other connections.
 */
export class Loop {
  readonly #clock: Clock;
  #receiving: LoopMember[] = [];
  #transmitting: LoopMember[] = [];
  #spareReceiving: LoopMember[] = [];
  #spareTransmitting: LoopMember[] = [];
  #callbacks: (() => void)[] = [];
  #planned = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  planReceive(member: LoopMember): void {
    if (member.receiveQueued) return;
    member.receiveQueued = true;
    this.#receiving.push(member);
    this.#plan();
  }

  planTransmit(member: LoopMember): void {
    if (member.transmitQueued) return;
    member.transmitQueued = true;
    this.#transmitting.push(member);
    this.#plan();
  }

  /** Calls back in the next turn, before connections are served. */
  later(callback: () => void): void {
    this.#callbacks.push(callback);
    this.#plan();
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#callbacks.length > 0) this.#callBack();
    const receiving = this.#receiving;
    this.#receiving = this.#spareReceiving;
    this.#spareReceiving = receiving;
    for (const member of receiving) {
      member.receiveQueued = false;
      member.receive(nowMs);
    }
    receiving.length = 0;
    // Taken after all were received, so that what they pass on to each other leaves in this turn.
    const transmitting = this.#transmitting;
    this.#transmitting = this.#spareTransmitting;
    this.#spareTransmitting = transmitting;
    for (const member of transmitting) {
      member.transmitQueued = false;
      // Read anew: what became too old since the turn began, while the process was stopped, must not leave.
      if (member.transmit(this.#clock.monotonicMs())) this.planTransmit(member);
    }
    transmitting.length = 0;
    // What was planned meanwhile and has been served needs no turn of its own.
    this.#planned = false;
    if (this.#receiving.length + this.#transmitting.length + this.#callbacks.length > 0) this.#plan();
  }

  #callBack(): void {
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callback();
  }
}
