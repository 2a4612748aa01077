import { type DropReason, dropReasons, type Ledger, type LedgerTotals, noDrops } from '../types.ts';

/** At the head of each datagram; not counted as payload. */
const tunnelIdBytes = 16;

type MutableDrops = Record<DropReason, number>;

/** Plain numbers that the packet path adds to. */
export class QuicheLedger implements Ledger {
  datagramsIn = 0;
  datagramsOut = 0;
  datagramBytesIn = 0;
  datagramBytesOut = 0;
  streamBytes = 0;
  readonly drops: MutableDrops = { ...noDrops };

  /** A datagram of `length` bytes came, the tunnel id at its head included. */
  noteIn(length: number): void {
    this.datagramsIn += 1;
    this.datagramBytesIn += Math.max(0, length - tunnelIdBytes);
  }

  /** Its connection had ended. */
  noteClosed(): 'closed' {
    this.drops.closing += 1;
    return 'closed';
  }

  get dropped(): number {
    let sum = 0;
    for (const reason of dropReasons) sum += this.drops[reason];
    return sum;
  }

  get bytesOut(): number {
    return this.datagramBytesOut + this.streamBytes;
  }

  totals(): LedgerTotals {
    const { datagramsIn, datagramsOut, datagramBytesIn, datagramBytesOut, streamBytes } = this;
    return { datagramsIn, datagramsOut, datagramBytesIn, datagramBytesOut, streamBytes, drops: { ...this.drops } };
  }
}
