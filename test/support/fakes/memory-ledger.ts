import { type DropReason, type Ledger, type LedgerTotals, noDrops } from '../../../src/quic/types.ts';

/** Counts as an engine would. */
export class MemoryLedger implements Ledger {
  readonly #totals = {
    datagramsIn: 0,
    datagramsOut: 0,
    datagramBytesIn: 0,
    datagramBytesOut: 0,
    streamBytes: 0,
  };
  readonly #drops: Record<DropReason, number> = { ...noDrops };

  get dropped(): number {
    return Object.values(this.#drops).reduce((sum, count) => sum + count, 0);
  }

  get bytesOut(): number {
    return this.#totals.datagramBytesOut + this.#totals.streamBytes;
  }

  totals(): LedgerTotals {
    return { ...this.#totals, drops: { ...this.#drops } };
  }

  datagramIn(payloadBytes: number): void {
    this.#totals.datagramsIn++;
    this.#totals.datagramBytesIn += payloadBytes;
  }

  datagramOut(payloadBytes: number): void {
    this.#totals.datagramsOut++;
    this.#totals.datagramBytesOut += payloadBytes;
  }

  drop(reason: DropReason): void {
    this.#drops[reason]++;
  }

  stream(bytes: number): void {
    this.#totals.streamBytes += bytes;
  }
}
