export interface PeerBudgetSettings {
  /** 0 = no limit. */
  readonly unprovenBytes: number;
  /** 0 = no limit. */
  readonly uselessBytes: number;
}

/** What a peer may send per byte of ours to acknowledge it, generously: an ACK of 60 bytes per packet of 1200. */
const creditPerByteSent = 0.1;
/** PINGs of keep-alives and odd frames. */
const creditPerSecond = 200;

/** Counts what a peer makes us work for nothing (native-quiche.md: quiche 0.18 has weaknesses that only such traffic reaches). */
export class PeerBudget {
  readonly #settings: PeerBudgetSettings;
  #unproven = 0;
  #proven = false;
  #useless = 0;
  #pending = 0;
  #seenMs: number;

  constructor(settings: PeerBudgetSettings, nowMs: number) {
    this.#settings = settings;
    this.#seenMs = nowMs;
  }

  markProven(): void {
    this.#proven = true;
  }

  onReceived(bytes: number): void {
    this.#pending += bytes;
    if (!this.#proven) this.#unproven += bytes;
  }

  onSent(bytes: number): void {
    this.#useless = Math.max(0, this.#useless - bytes * creditPerByteSent);
  }

  /** `useful`: the packets since the last call brought stream or datagram data. Answers why the connection must end, or null. */
  judge(useful: boolean, nowMs: number): string | null {
    const { unprovenBytes, uselessBytes } = this.#settings;
    const credit = ((nowMs - this.#seenMs) / 1000) * creditPerSecond;
    this.#seenMs = nowMs;
    this.#useless = useful ? 0 : Math.max(0, this.#useless + this.#pending - credit);
    this.#pending = 0;
    if (unprovenBytes > 0 && !this.#proven && this.#unproven > unprovenBytes) return 'too much data before a bind';
    if (uselessBytes > 0 && this.#useless > uselessBytes) return 'too many packets without data';
    return null;
  }
}
