import type { QuicConnection } from '../types.ts';
import type { Outlet } from './quirks/end-guard.ts';

/** What a stream needs of the streams of its connection. None of it calls back at once. */
export interface StreamOwner<Stream> extends Outlet {
  readonly connection: QuicConnection;
  /** Something is to be sent. */
  plan(): void;
  /** Bytes were read; what that allows the peer is to be sent. */
  onRead(bytes: number): void;
  /** Sends what quiche has buffered. */
  flush(): void;
  /** `resume` is to be called when more has arrived. */
  hold(stream: Stream): void;
  /** `retry` is to be called when the peer's acknowledgements have made room. */
  addBlocked(stream: Stream): void;
  /** `deliver` is to be called from the event loop. */
  addEvent(stream: Stream): void;
  /** To be called from the event loop, outside every call of the program. */
  later(callback: () => void): void;
  /** The peer's direction has ended, ours has not. */
  onReadOver(stream: Stream): void;
  /** Both directions have ended. */
  onOver(stream: Stream): void;
}
