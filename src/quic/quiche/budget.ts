export interface BudgetSettings {
  /** 0 = no limit. */
  readonly unprovenBytes: number;
  /** 0 = no limit. */
  readonly uselessBytes: number;
  readonly connectionWindowBytes: number;
}

/** Traffic of a connection since the last judgement. */
export interface Traffic {
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  /** Stream and datagram data among them. */
  readonly usefulBytes: number;
  readonly sentPackets: number;
  readonly sentBytes: number;
}

/**
 * Windows of stream data that may wait unread, or behind a lost packet, and only then turn out to be of use. More than
 * the one that would hold the peer back: past these the connection is closed, and some hundred streams whose readers
 * all pause are no attack.
 */
const unreadWindows = 16;
/** What data needs besides itself: in its own packet, and in packets before that could not be read until it came. */
const overheadPerPacket = 100;
const overheadPerByte = 0.25;
/** What a peer may send to acknowledge ours: generous, for an ACK takes 40 to 80 bytes and serves several packets. */
const creditPerPacketSent = 50;
const creditPerByteSent = 0.1;
/** PINGs of keep-alives and odd frames. */
const creditPerSecond = 200;

/**
 * Counts what a peer makes us work for nothing (docs/quiche.md: quiche 0.18 has weaknesses that only such traffic
 * reaches).
 */
export class Budget {
  readonly #settings: BudgetSettings;
  #unproven = 0;
  #proven = false;
  #useless = 0;
  #judgedMs: number;

  constructor(settings: BudgetSettings, nowMs: number) {
    this.#settings = settings;
    this.#judgedMs = nowMs;
  }

  markProven(): void {
    this.#proven = true;
  }

  /** Returns why the connection must end, or null. */
  judge(traffic: Traffic, nowMs: number): string | null {
    const { unprovenBytes, uselessBytes, connectionWindowBytes } = this.#settings;
    const { receivedPackets, receivedBytes, usefulBytes, sentPackets, sentBytes } = traffic;
    const useful = usefulBytes > 0 ? usefulBytes * (1 + overheadPerByte) + receivedPackets * overheadPerPacket : 0;
    const acknowledging = sentPackets * creditPerPacketSent + sentBytes * creditPerByteSent;
    const idling = ((nowMs - this.#judgedMs) / 1000) * creditPerSecond;
    this.#judgedMs = nowMs;
    this.#useless = Math.max(0, this.#useless + receivedBytes - useful - acknowledging - idling);
    if (!this.#proven) this.#unproven += receivedBytes;
    if (unprovenBytes > 0 && !this.#proven && this.#unproven > unprovenBytes) return 'too much data before a bind';
    if (uselessBytes > 0 && this.#useless > uselessBytes + unreadWindows * connectionWindowBytes) {
      return 'too many packets without data, or too much data that nobody reads';
    }
    return null;
  }
}
