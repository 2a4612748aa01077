import type { Sender } from './local-udp-socket.ts';

/** How many senders are remembered, to distinguish several programs from one that has changed its port. */
const remembered = 4;

/** The senders to a listening socket. Replies go to the last one, so programs that send in turns get each other's. */
export class Senders {
  /** The last one first. */
  #recent: readonly Sender[] = [];

  get last(): Sender | null {
    return this.#recent[0] ?? null;
  }

  /** Returns true for a sender that had sent before the last one did. */
  note(sender: Sender): boolean {
    const isSender = ({ address, port }: Sender): boolean => address === sender.address && port === sender.port;
    if (this.#recent[0] !== undefined && isSender(this.#recent[0])) return false;
    const hasReturned = this.#recent.some(isSender);
    this.#recent = [sender, ...this.#recent.filter((other) => !isSender(other))].slice(0, remembered);
    return hasReturned;
  }
}

/** One return may be a tool that was tried once. */
const enough = 3;
const calmMs = 10_000;

/** Decides from the count of returns whether several programs send at once. */
export class SenderWatch {
  #seen = 0;
  #inRow = 0;
  #lastMs = 0;

  /** Returns `begun` once and `lasts` while they go on; `over` when it has been calm for 10 s. */
  sample(nowMs: number, returns: number): 'begun' | 'lasts' | 'over' {
    const more = returns - this.#seen;
    this.#seen = returns;
    if (more === 0) {
      if (nowMs - this.#lastMs < calmMs) return this.#inRow >= enough ? 'lasts' : 'over';
      this.#inRow = 0;
      return 'over';
    }
    const before = this.#inRow;
    this.#inRow += more;
    this.#lastMs = nowMs;
    if (this.#inRow < enough) return 'over';
    return before < enough ? 'begun' : 'lasts';
  }
}
