/**
 * Acknowledgements are sent for this many packets, or after this long (peers reckon with 25 ms), where nothing else is
 * to be sent.
 */
const packetsPerAck = 10;
const ackDelayMs = 8;

/** A young connection's peer needs acknowledgements to find its speed. */
const eagerPackets = 100;

/**
 * quiche acknowledges at each call to send, so the time of these calls decides what acknowledgements cost: as much as a
 * datagram each.
 */
export class AckPace {
  /** Packets since the last flush. */
  arrived = 0;
  dueMs = Number.POSITIVE_INFINITY;
  #total = 0;

  onPacket(): void {
    this.arrived += 1;
    this.#total += 1;
  }

  /** True: send now. Otherwise `dueMs` says when. `eager`: what arrived may have made room for something that waits. */
  decide(eager: boolean, nowMs: number): boolean {
    if (eager || this.#total < eagerPackets || this.arrived >= packetsPerAck) return true;
    this.dueMs = Math.min(this.dueMs, nowMs + ackDelayMs);
    return false;
  }

  flushed(): void {
    this.arrived = 0;
    this.dueMs = Number.POSITIVE_INFINITY;
  }
}
