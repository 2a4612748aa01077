import { AppError } from '../../lib/app-error.ts';
import type { DropReason, Ledger, RouteHandle } from '../types.ts';
import { QuicheLedger } from './ledger.ts';
import { WordTable, wordAt } from './word-table.ts';

/** Bytes at the head of a datagram that name its tunnel. */
export const prefixBytes = 16;

/** Somewhere datagrams can be forwarded to; a class, so that a target of another engine is noticed. */
export abstract class ForwardTarget {
  /**
   * `ledger` is that of the leg that sent the datagram, whose bytes are valid only during the call. `arrivedMs`: when
   * it came, on the monotonic clock.
   */
  abstract forward(datagram: Uint8Array, ledger: QuicheLedger, arrivedMs: number): void;
}

/** Where the datagrams of one prefix go. */
export interface Route {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  /** Null: dropped for `reason`. */
  readonly to: ForwardTarget | null;
  readonly reason: DropReason;
  readonly ledger: QuicheLedger;
}

/** Narrows a ledger to one of ours; another's is a mistake of the program. */
export function ownLedger(ledger: Ledger): QuicheLedger {
  if (ledger instanceof QuicheLedger) return ledger;
  throw new AppError('bug', 'the ledger was made by another engine');
}

/** The routes of one connection, looked up in the bytes of a datagram. */
export class RouteTable {
  /** Made with the first route: most connections of a reconnect storm never have one. */
  #table: WordTable<Route> | null = null;
  readonly #seed: number;
  /** Most connections carry one tunnel, so the last one found is nearly always the next one. */
  #last: Route | undefined;

  constructor(seed: number) {
    this.#seed = seed;
  }

  set(prefix: Uint8Array, to: ForwardTarget | null, reason: DropReason, ledger: QuicheLedger): RouteHandle {
    if (prefix.length !== prefixBytes) throw new AppError('bug', `a prefix has 16 bytes, not ${prefix.length}`);
    const [w0, w1, w2, w3] = [0, 4, 8, 12].map((at) => wordAt(prefix, at)) as [number, number, number, number];
    const route: Route = { w0, w1, w2, w3, to, reason, ledger };
    this.#last = undefined;
    this.#table ??= new WordTable(this.#seed);
    this.#table.set(route, w0, w1, w2, w3);
    return { withdraw: () => this.#withdraw(route) };
  }

  /** The caller knows that the datagram has at least 16 bytes. */
  find(datagram: Uint8Array): Route | undefined {
    const w0 = wordAt(datagram, 0);
    const w1 = wordAt(datagram, 4);
    const w2 = wordAt(datagram, 8);
    const w3 = wordAt(datagram, 12);
    const last = this.#last;
    if (last?.w0 === w0 && last.w1 === w1 && last.w2 === w2 && last.w3 === w3) return last;
    this.#last = this.#table?.get(w0, w1, w2, w3);
    return this.#last;
  }

  #withdraw(route: Route): void {
    const { w0, w1, w2, w3 } = route;
    if (this.#table?.get(w0, w1, w2, w3) !== route) return;
    this.#table.delete(w0, w1, w2, w3);
    this.#last = undefined;
  }
}
