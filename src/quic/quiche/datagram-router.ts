import { AppError } from '../../lib/app-error.ts';
import type { DatagramTarget, Ledger, RouteHandle } from '../types.ts';
import type { MutableCounters } from './counters.ts';
import type { QuicheHandle } from './binding.ts';
import { ForwardTarget, ownLedger, prefixBytes, RouteTable } from './route.ts';
import { scratch } from './scratch.ts';
import type { TrafficMeter } from './traffic-meter.ts';

/** Takes the datagrams of one peer to where their prefixes say; nothing is allocated for one. */
export class DatagramRouter {
  readonly #handle: QuicheHandle;
  readonly #counters: MutableCounters;
  readonly #meter: TrafficMeter;
  readonly #routes: RouteTable;
  /** Null: what has no route is dropped. `late`: it is too old, and only counted. */
  readonly #onLocal: ((payload: Uint8Array, late: boolean) => void) | null;

  constructor(
    handle: QuicheHandle,
    { counters, seed }: { readonly counters: MutableCounters; readonly seed: number },
    meter: TrafficMeter,
    onLocal: ((payload: Uint8Array, late: boolean) => void) | null,
  ) {
    this.#handle = handle;
    this.#counters = counters;
    this.#meter = meter;
    this.#routes = new RouteTable(seed);
    this.#onLocal = onLocal;
  }

  route(prefix: Uint8Array, target: DatagramTarget, ledger: Ledger): RouteHandle {
    const own = ownLedger(ledger);
    if (target.kind === 'drop') return this.#routes.set(prefix, null, target.reason, own);
    if (!(target.to instanceof ForwardTarget)) throw new AppError('bug', 'the target belongs to another engine');
    return this.#routes.set(prefix, target.to, 'no_peer', own);
  }

  /** Passes on what has arrived, at `arrivedMs`. */
  drain(arrivedMs: number): void {
    let length = this.#handle.dgramRecv(scratch.whole);
    while (length !== null) {
      this.#meter.onUseful(length);
      this.#take(scratch.first(length), arrivedMs);
      length = this.#handle.dgramRecv(scratch.whole);
    }
  }

  /** Counts what has arrived as too old, and passes nothing on. */
  expire(): void {
    for (let length = this.#handle.dgramRecv(scratch.whole); length !== null;) {
      this.#meter.onUseful(length);
      const datagram = scratch.first(length);
      const route = length < prefixBytes ? undefined : this.#routes.find(datagram);
      if (route === undefined) this.#onLocal?.(datagram, true);
      else {
        route.ledger.noteIn(length);
        route.ledger.drops.expired += 1;
      }
      length = this.#handle.dgramRecv(scratch.whole);
    }
  }

  #take(datagram: Uint8Array, arrivedMs: number): void {
    if (datagram.length < prefixBytes) {
      this.#counters.malformed += 1;
      return;
    }
    const route = this.#routes.find(datagram);
    if (route === undefined) {
      if (this.#onLocal === null) this.#counters.unboundSender += 1;
      else this.#onLocal(datagram, false);
      return;
    }
    const { ledger, to } = route;
    ledger.noteIn(datagram.length);
    if (to === null) ledger.drops[route.reason] += 1;
    else to.forward(datagram, ledger, arrivedMs);
  }
}
