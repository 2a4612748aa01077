import type { Arrivals } from './arrivals.ts';
import { shutdownWrite } from '../binding.ts';
import type { StreamHandle } from '../stream-handle.ts';

/** The way out of a stream's connection. */
export interface Outlet {
  readonly arrivals: Pick<Arrivals, 'nowMs' | 'isQuiet' | 'horizonMs'>;
  /** While it stays the same, all that is given to quiche leaves together. */
  readonly packetsSent: number;
  /** Has `give` give something to quiche and sends it; answers whether it left for certain. */
  leaves(give: () => void): boolean;
  /** Whether nothing that quiche has buffered waits for room, which is tried with packets. */
  hasRoom(): boolean;
}

/** How a stream's own direction ended. Stopped: by the peer, or never open. */
export type WriteEnd = 'finished' | 'reset' | 'stopped';

/** An end that the program asks for: a FIN, or a reset with its code. */
export type StreamEnding = 'finish' | { readonly reset: number };

/** An end that was given to quiche and may not have arrived. */
interface Departed {
  readonly ending: StreamEnding;
  packets: number;
  atMs: number;
}

const nothing = new Uint8Array(0);

/**
 * A FIN without data is sent in so many packets, apart from each other where possible. Then it has time to be lost and
 * sent again.
 */
const finPackets = 3;
const finPauseMs = 10;
const finRoundTrips = 3;
/** A reset cannot be repeated, so it has more. */
const resetRoundTrips = 6;

/**
 * Makes sure that a FIN or RESET arrives. quiche 0.18 forgets a stream once the peer's side was read and our data
 * acknowledged, even if our FIN or RESET was lost. It also does not resend a FIN that was lost together with data. So:
 * (1) peer finished: send our end only after our data arrived;
 * (2) otherwise: do not read on until our end arrived, and repeat it for a while.
 * An end that leaves with the last of the data is as safe as that data.
 */
export class EndGuard {
  readonly #handle: StreamHandle;
  readonly #outlet: Outlet;
  #wroteAtMs = Number.NEGATIVE_INFINITY;
  #wroteBeforePacket = -1;
  #departed: Departed | null = null;

  constructor(handle: StreamHandle, outlet: Outlet) {
    this.#handle = handle;
    this.#outlet = outlet;
  }

  /** Data was given to quiche. */
  wrote(): void {
    this.#wroteAtMs = this.#outlet.arrivals.nowMs;
    this.#wroteBeforePacket = this.#outlet.packetsSent;
  }

  /** Whether it may be given to quiche now. */
  mayEnd(ending: StreamEnding): boolean {
    const { arrivals } = this.#outlet;
    if (this.#leavesWithData(ending) || arrivals.isQuiet()) return true;
    const isLast = this.#isLast();
    if (isLast && this.#wroteAtMs >= arrivals.horizonMs(roundTrips(ending))) return false;
    // quiche makes a FIN of what still waits for room when a reset comes, and would forget the stream before an end
    // that waits itself.
    return (ending === 'finish' && !isLast) || this.#outlet.hasRoom();
  }

  end(ending: StreamEnding): void {
    if (this.#leavesWithData(ending)) {
      this.#give(ending);
      return;
    }
    const departed = { ending, packets: 0, atMs: 0 };
    this.#departed = departed;
    this.#send(departed);
    // quiche may forget the stream as soon as older data is acknowledged, which may have been sent twice: there will be
    // no time to repeat it.
    if (ending === 'finish' && this.#isLast()) while (departed.packets < finPackets && this.#send(departed));
  }

  /** Whether our end, if there was one, has arrived as far as is known. To be asked again and again until it has. */
  hasArrived(): boolean {
    if (this.#departed === null) return true;
    if (this.#outlet.arrivals.isQuiet() || this.#hadTime(this.#departed)) this.#departed = null;
    return this.#departed === null;
  }

  #hadTime(departed: Departed): boolean {
    const { arrivals } = this.#outlet;
    const { ending, packets, atMs } = departed;
    if (ending !== 'finish' || packets >= finPackets) return atMs < arrivals.horizonMs(roundTrips(ending));
    if (arrivals.nowMs >= atMs + finPauseMs) this.#send(departed);
    return false;
  }

  /** False: it still waits for room. */
  #send(departed: Departed): boolean {
    const leaves = this.#outlet.leaves(() => this.#give(departed.ending));
    if (leaves) departed.packets += 1;
    departed.atMs = this.#outlet.arrivals.nowMs;
    return leaves;
  }

  #isLast(): boolean {
    return !this.#handle.bidirectional || this.#handle.isReadOver();
  }

  #give(ending: StreamEnding): void {
    if (ending === 'finish') this.#handle.write(nothing, true);
    else this.#handle.shutdown(shutdownWrite, ending.reset);
  }

  #leavesWithData(ending: StreamEnding): boolean {
    return ending === 'finish' && this.#wroteBeforePacket === this.#outlet.packetsSent;
  }
}

function roundTrips(ending: StreamEnding): number {
  return ending === 'finish' ? finRoundTrips : resetRoundTrips;
}
