import type { QuicConnection } from '../types.ts';
import type { Arrivals } from './arrivals.ts';
import type { QuicheStream } from './stream.ts';

/** What a stream needs of the streams of its connection. None of it calls back at once. */
export interface StreamOwner {
  readonly connection: QuicConnection;
  readonly arrivals: Pick<Arrivals, 'nowMs' | 'isQuiet' | 'horizonMs'>;
  /** While it stays the same, all that is given to quiche leaves together. */
  readonly packetsSent: number;
  /** Something is to be sent. */
  plan(): void;
  /** Bytes were read; what that allows the peer is to be sent. */
  onRead(bytes: number): void;
  /** Sends what quiche has buffered. */
  flush(): void;
  /** Has `give` give something to quiche and sends it; answers whether it left for certain. */
  leaves(give: () => void): boolean;
  /** Whether nothing that quiche has buffered waits for room, which is tried with a packet. */
  hasRoom(): boolean;
  /** `resume` is to be called when more has arrived. */
  hold(stream: QuicheStream): void;
  /** `retry` is to be called when the peer's acknowledgements have made room. */
  addBlocked(stream: QuicheStream): void;
  /** `deliver` is to be called from the event loop. */
  addEvent(stream: QuicheStream): void;
  /** To be called from the event loop, outside every call of the program. */
  later(callback: () => void): void;
  /** The peer's direction has ended, ours has not. */
  onReadOver(stream: QuicheStream): void;
  /** Both directions have ended. */
  onOver(stream: QuicheStream): void;
}
