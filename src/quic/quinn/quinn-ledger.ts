import { type DropReason, dropReasons, type Ledger, type LedgerTotals } from '../types.ts';
import type { NativeLedgerBinding } from './addon.ts';

export class QuinnLedger implements Ledger {
  readonly #binding: NativeLedgerBinding;

  constructor(binding: NativeLedgerBinding) {
    this.#binding = binding;
  }

  /** Throws TypeError for a ledger of another engine: nothing could count in it. */
  static bindingOf(ledger: Ledger): NativeLedgerBinding {
    if (!(ledger instanceof QuinnLedger)) throw new TypeError('a ledger of another engine cannot be written to');
    return ledger.#binding;
  }

  get dropped(): number {
    return this.#binding.dropped;
  }

  get bytesOut(): number {
    return this.#binding.bytesOut;
  }

  totals(): LedgerTotals {
    const [datagramsIn = 0, datagramsOut = 0, datagramBytesIn = 0, datagramBytesOut = 0, streamBytes = 0, ...counts] =
      this.#binding.totals();
    const drops = Object.fromEntries(dropReasons.map((reason, i) => [reason, counts[i] ?? 0]));
    return {
      datagramsIn,
      datagramsOut,
      datagramBytesIn,
      datagramBytesOut,
      streamBytes,
      drops: drops as Record<DropReason, number>,
    };
  }
}
