import type { HostPort } from '../../lib/host-port.ts';
import type { Logger } from '../../lib/logger.ts';
import type { QuicConnection, QuicStream } from '../../quic/types.ts';
import type { PayloadCipher } from './payload-cipher.ts';
import type { RelayConnection } from '../uplink/relay-connection.ts';
import type { TunnelCounters } from './tunnel-counters.ts';

/** The side of a tunnel that faces local programs; one implementation for each protocol and direction. */
export interface LocalEnd {
  /** Takes its address; returns it with the real port. Rejects with AppError `address-unavailable`. */
  open(): Promise<HostPort>;
  /** Frees the address and resets what is still open. Idempotent. */
  close(): Promise<void>;
  /** A relay opened a data stream; set its handler or end it before returning. */
  onDataStream(stream: QuicStream, from: RelayConnection): void;
  /** `datagram` is valid only during the call. */
  onDatagram(datagram: Uint8Array): void;
  /** A connection to a relay is established, and nothing was sent over it yet. */
  onConnectionStart?(connection: RelayConnection, quic: QuicConnection): void;
  /**
   * Which relay carries the traffic from now on; null: none has the peer. `activeRelay` of the dependencies returns the
   * same.
   */
  onActiveRelay?(relay: RelayConnection | null): void;
  /** The streams of this connection are over, without further word. */
  onConnectionEnd(connection: RelayConnection): void;
}

export interface LocalEndDependencies {
  /** The relay to send over now; null while none has the peer. */
  readonly activeRelay: () => RelayConnection | null;
  readonly cipher: PayloadCipher;
  readonly counters: TunnelCounters;
  readonly logger: Logger;
}

/** Codes with which an edge resets and stops data streams; 1 to 7 are the relay's (docs/protocol/tunnel.md §3). */
export const edgeStreamCode = {
  /** The local connection was reset or ended in an error. */
  localReset: 16,
  /** The local program did not accept the connection. */
  localRefused: 17,
  /** What arrived was changed, cut off, or sealed with another key. */
  notAuthentic: 18,
} as const;
