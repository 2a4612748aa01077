import type { Clock } from '../../lib/clock.ts';
import type { DatagramObserver } from '../net/datagram-socket.ts';

/** Longer rests save more, and add to the latency. */
const longestRestMs = 10;
/** With less, hardly more than one packet would be gathered. */
const shortestRestMs = 1;
/**
 * That may come to one socket in a rest, by its rate. A socket that asks for 4 MiB and gets Linux's default `rmem_max`
 * holds 184 packets of 1332 bytes, seven times as many.
 */
const mostPerRest = 24;
/** Node reads so many packets of a socket in one turn at most: more may wait behind them. */
const readsPerTurn = 32;
const windowMs = 20;

export interface PacketRestDependencies {
  readonly clock: Clock;
  /** Calls back when the reads of this turn of the event loop are done (setImmediate). */
  readonly afterReads: (callback: () => void) => void;
  /** Blocks the thread. */
  readonly sleep: (ms: number) => void;
}

/** What one socket has received in the present turn and window. */
class Intake {
  turn = 0;
  inTurn = 0;
  window = 0;
  inWindow = 0;
}

/**
 * Blocks a thread for a moment after packets have come, so that the next ones gather in their sockets: a packet costs
 * half as much when the code that handles it has just handled others.
 */
export class PacketRest {
  /** How long packets may lie unread; 0 for not at all. */
  patienceMs = 0;
  readonly #dependencies: PacketRestDependencies;
  #turn = 0;
  #mostInTurn = 0;
  #window = 0;
  #windowFromMs: number;
  #mostInWindow = 0;
  /** Of the busiest socket, in the last window. */
  #perMs = 0;
  #due = false;

  constructor(dependencies: PacketRestDependencies) {
    this.#dependencies = dependencies;
    this.#windowFromMs = dependencies.clock.monotonicMs();
  }

  /** The same observer, whose packets are counted. */
  watch(observer: DatagramObserver): DatagramObserver {
    const intake = new Intake();
    return {
      onMessage: (packet, address, port) => {
        this.#note(intake);
        observer.onMessage(packet, address, port);
      },
      onError: (error) => observer.onError(error),
    };
  }

  #note(intake: Intake): void {
    if (this.patienceMs < shortestRestMs) return;
    if (intake.turn !== this.#turn) {
      intake.turn = this.#turn;
      intake.inTurn = 0;
    }
    if (intake.window !== this.#window) {
      intake.window = this.#window;
      intake.inWindow = 0;
    }
    this.#mostInTurn = Math.max(this.#mostInTurn, ++intake.inTurn);
    this.#mostInWindow = Math.max(this.#mostInWindow, ++intake.inWindow);
    if (this.#due) return;
    this.#due = true;
    const { afterReads } = this.#dependencies;
    // A turn later: what these packets have led to is sent first, also the batches of tunnels.
    afterReads(() => afterReads(() => this.#rest()));
  }

  #rest(): void {
    this.#measure();
    const ms = Math.min(this.patienceMs, longestRestMs, mostPerRest / this.#perMs);
    const moreWait = this.#mostInTurn >= readsPerTurn;
    this.#due = false;
    this.#turn++;
    this.#mostInTurn = 0;
    if (ms >= shortestRestMs && !moreWait) this.#dependencies.sleep(ms);
  }

  #measure(): void {
    const nowMs = this.#dependencies.clock.monotonicMs();
    const sinceMs = nowMs - this.#windowFromMs;
    if (sinceMs < windowMs) return;
    this.#perMs = this.#mostInWindow / sinceMs;
    this.#windowFromMs = nowMs;
    this.#window++;
    this.#mostInWindow = 0;
  }
}
