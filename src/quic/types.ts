/**
 * The port between the program and any QUIC engine: control decides routes; the engine moves bytes
 * (docs/architecture.md).
 *
 * Ordering, for every engine:
 * - No callback runs inside a call to the engine: each comes from the event loop, one after the other.
 * - Per connection `onStream`, `onDatagram`, stream callbacks and `onClosed` come in the order of their causes. Nothing
 *   follows `onClosed`, and no stream callback follows the `onClosed` of its connection.
 * - Calls take effect in the order in which they are made. A call on a connection, stream or handle that has ended does
 *   nothing.
 * - A withdrawn or replaced route carries no datagram that arrives after the call returned.
 */

import type { CloseInfo, ConnectionStats } from './connection-report.ts';
import type { EngineName, EngineReport } from './engine-report.ts';
import type { PeerVerification } from './peer-verification.ts';
import type { TransportSettings } from './transport-settings.ts';

/** `ip` is a literal without brackets or zone; `port` is 1..65535 (0 = any, only to listen). */
export interface SocketAddress {
  readonly ip: string;
  readonly port: number;
}

/** Why a datagram from a leg did not leave (docs/conformance.md S5). */
export const dropReasons = [
  'no_peer',
  'too_large',
  'queue_full',
  'expired',
  'wrong_protocol',
  'closing',
  'congestion',
] as const;
export type DropReason = (typeof dropReasons)[number];

export const noDrops: Readonly<Record<DropReason, number>> = {
  no_peer: 0,
  too_large: 0,
  queue_full: 0,
  expired: 0,
  wrong_protocol: 0,
  closing: 0,
  congestion: 0,
};

/**
 * What one leg of a tunnel has sent. Payload only: neither the 16-byte prefix of a datagram nor a stream header counts.
 * Once nothing is queued, `datagramsIn = datagramsOut + Σ drops`. Numbers never fall.
 */
export interface LedgerTotals {
  readonly datagramsIn: number;
  /** Accepted by the outgoing QUIC connection. */
  readonly datagramsOut: number;
  readonly datagramBytesIn: number;
  readonly datagramBytesOut: number;
  /** Stream bytes taken from this leg and accepted by the other one. */
  readonly streamBytes: number;
  readonly drops: Readonly<Record<DropReason, number>>;
}

/** Counts for one leg, written by the engine that made it. Readable for as long as it is referenced. */
export interface Ledger {
  totals(): LedgerTotals;
  /**
   * Datagrams dropped for whatever reason. Cheap, as `bytesOut`: both are read from thousands of ledgers every second.
   */
  readonly dropped: number;
  /** Payload bytes, of datagrams and streams, that the other leg's connection has accepted. */
  readonly bytesOut: number;
}

/** Where the datagrams of a tunnel that arrive on a connection go; `drop` counts them in the ledger under `reason`. */
export type DatagramTarget =
  { readonly kind: 'forward'; readonly to: QuicConnection } | { readonly kind: 'drop'; readonly reason: DropReason };

/** A route or splice that is in force until it is withdrawn or its connection ends. */
export interface RouteHandle {
  /** Idempotent. Later datagrams of the prefix are counted as `unboundSender` unless another route was set since. */
  withdraw(): void;
}

export interface SpliceHandle {
  /**
   * Resets and stops both directions on both streams with `code`; `onEnd` follows. Does nothing once the splice has
   * ended.
   */
  abort(code: number): void;
}

export type ReadResult =
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  /** Nothing now; `onReadable` follows when that changes. */
  | { readonly kind: 'blocked' }
  /** The peer finished the direction and everything was read; stays so. */
  | { readonly kind: 'finished' }
  /** The peer reset the direction, or the stream or connection ended; stays so. */
  | { readonly kind: 'reset'; readonly code: number };

/** Callbacks of one stream. All are optional to use, none may throw. */
export interface StreamHandler {
  /** After a `read` gave `blocked` (and once for a new stream): data, end or reset is there to read. */
  onReadable(): void;
  /** After `write` returned false: the stream takes bytes again. */
  onWritable(): void;
  /**
   * The peer sent STOP_SENDING for our direction, which is then over; the engine has answered with RESET. Comes within
   * 50 ms also on an idle stream.
   */
  onStopped(code: number): void;
}

/** Bidirectional unless `writable` or `readable` says otherwise. Both directions end on their own (half-close). */
export interface QuicStream {
  readonly id: number;
  readonly connection: QuicConnection;
  readonly bidirectional: boolean;
  setHandler(handler: StreamHandler): void;
  /**
   * At most `maxBytes` bytes, in order, never more than that: what is not read stays in the stream (and holds flow
   * control). The bytes are the caller's to keep.
   */
  read(maxBytes: number): ReadResult;
  /**
   * Takes all of `bytes` (copied or owned: the caller must not change them afterwards). False: more than 64 KiB wait,
   * write again after `onWritable`. On a direction that has ended the bytes are dropped and the answer is true.
   */
  write(bytes: Uint8Array): boolean;
  /** Bytes taken by `write` that QUIC has not accepted yet. */
  readonly queuedBytes: number;
  /** FIN after all written bytes. */
  finish(): void;
  /** RESET_STREAM of our direction; what waits is discarded. */
  reset(code: number): void;
  /** STOP_SENDING for the peer's direction; what was received is discarded. */
  stop(code: number): void;
  /**
   * Hands both streams to the engine. Bytes, FIN, RESET(code) and STOP_SENDING(code) cross unchanged, each direction on
   * its own, with back-pressure and at most 256 KiB per direction in between. What `write` still holds goes first.
   * Handlers are no longer called, other methods must no longer be used. `forward` counts bytes read from this stream,
   * `backward` those read from `other`. The end of one connection resets the directions that are still open on the
   * other with `lostCode` at once. `onEnd` comes once, when both directions are over.
   */
  splice(other: QuicStream, options: SpliceOptions): SpliceHandle;
}

export interface SpliceOptions {
  readonly forward: Ledger;
  readonly backward: Ledger;
  readonly lostCode: number;
  readonly onEnd: () => void;
}

/** Callbacks of one connection; none may throw. */
export interface ConnectionHandler {
  /** The peer opened a stream; unread bytes wait. Set its handler before returning. */
  onStream(stream: QuicStream): void;
  /** A datagram without a route, on a connection with `localDatagrams`; `payload` is valid only during the call. */
  onDatagram(payload: Uint8Array): void;
  /** Such a datagram waited longer than `datagramQueueMs`, because this process did not keep up, and was dropped. */
  onLateDatagram?(): void;
  /** The peer's address changed and was validated (NAT rebinding, migration). */
  onAddressChange(remote: SocketAddress): void;
  /** Exactly once, last. */
  onClosed(info: CloseInfo): void;
}

export type DatagramSendResult = 'queued' | 'too_large' | 'queue_full' | 'closed';

/** An established connection (TLS handshake complete). */
export interface QuicConnection {
  /** Unique in this process, never used again. */
  readonly id: number;
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
  /** The leaf certificate (DER) that the peer showed; null where it showed none or the engine does not know. */
  readonly peerCertificate: Uint8Array | null;
  /** Null when the peer grants no stream now. Never blocks. */
  openBidi(): QuicStream | null;
  openUni(): QuicStream | null;
  /**
   * Sends from this end. A full queue drops its oldest datagram and takes this one (then the answer is `queue_full`).
   * Bytes are copied. `ledger` counts it in at once, then out when QUIC accepts it, or dropped, for whatever reason and
   * however much later.
   */
  sendDatagram(payload: Uint8Array, ledger?: Ledger | null): DatagramSendResult;
  /**
   * Datagrams from this peer that begin with `prefix` (16 bytes) go to `target` unchanged and are counted in `ledger`.
   * One route per prefix: a new one replaces the old at once. A forward target that ends turns the route into a drop
   * with reason `no_peer`.
   */
  routeDatagrams(prefix: Uint8Array, target: DatagramTarget, ledger: Ledger): RouteHandle;
  /** The peer has proved that it may be here: the byte budget of unproven connections no longer applies. Idempotent. */
  markProven(): void;
  /**
   * Milliseconds since a packet for this connection arrived, keep-alives included; Infinity once it has ended. Cheap.
   */
  readonly silentMs: number;
  /** How often the engine itself sent something for a local socket (local-sockets.ts); only grows. Cheap. */
  readonly localSends: number;
  /** Sends a PING at once, which a peer that is still there acknowledges within a round trip. */
  ping(): void;
  stats(): ConnectionStats;
  /**
   * Flushes what streams hold as far as the peer's flow control and congestion allow in one round, then
   * CONNECTION_CLOSE (application, `code`, `reason` ≤ 256 bytes). `onClosed` follows.
   */
  close(code: number, reason: string): void;
}

/**
 * What to do with a new connection attempt. `refuse` = CONNECTION_REFUSED in an Initial; `ignore` = no answer at all.
 */
export type IncomingDecision = 'accept' | 'retry' | 'refuse' | 'ignore';

export interface IncomingAttempt {
  readonly remote: SocketAddress;
  /** The address was proved by a Retry token. `retry` is then not a possible answer (treated as `refuse`). */
  readonly validated: boolean;
}

export interface ListenerHandler {
  /** Asked once per new connection attempt, before any state exists for it. */
  onIncoming(attempt: IncomingAttempt): IncomingDecision;
  /**
   * For every accepted attempt exactly one of these two follows. The answer receives all that happens on the
   * connection.
   */
  onConnection(connection: QuicConnection): ConnectionHandler;
  onHandshakeFailed(remote: SocketAddress, reason: string): void;
  /**
   * The socket failed for good (not a single send or receive): the listener carries nothing any more. Close it, which
   * frees its address.
   */
  onFailed(error: Error): void;
}

/** PEM texts. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface ListenOptions {
  readonly address: SocketAddress;
  readonly tls: TlsIdentity;
  readonly transport: TransportSettings;
  /**
   * 32 bytes, kept across restarts, so that a restarted relay's stateless resets end the old connections (RFC 9000
   * §10.3).
   */
  readonly resetKey: Uint8Array;
  /**
   * Above so many new attempts a second the engine sends Retry without calling the handler, so a spoofed flood costs no
   * callback. 0: never by itself.
   */
  readonly retryAfterHandshakesPerSec: number;
}

export interface DialOptions {
  readonly remote: SocketAddress;
  readonly serverName: string;
  readonly verify: PeerVerification;
  readonly transport: TransportSettings;
  readonly signal?: AbortSignal;
}

export interface QuicListener {
  /** The address bound, with the real port. */
  readonly address: SocketAddress;
  /** What the kernel granted. */
  readonly socketReceiveBufferBytes: number | null;
  readonly socketSendBufferBytes: number | null;
  /**
   * New connections use this identity; existing ones live on. Throws AppError `tls-failed` and keeps the old one when
   * it cannot be used.
   */
  setTls(tls: TlsIdentity): void;
  /** New attempts are answered with CONNECTION_REFUSED from now on; existing connections live on. */
  stopAccepting(): void;
  /** Closes what is left with code 0 and `reason`, waits until the packets have left, frees the socket. Idempotent. */
  close(reason: string): Promise<void>;
}

export interface QuicEngine {
  readonly name: EngineName;
  createLedger(): Ledger;
  /** Rejects with AppError `address-unavailable` (in use, not local, not permitted) or `tls-failed`. */
  listen(options: ListenOptions, handler: ListenerHandler): Promise<QuicListener>;
  /**
   * Resolves once established; `handler` is called from then on (its callbacks may precede the promise's). Rejects with
   * AppError `connect-failed` (refused, ALPN, …), `timed-out` (no handshake in time), `tls-failed` (the peer did not
   * prove who it is) or `cancelled` (signal).
   */
  dial(options: DialOptions, handler: ConnectionHandler): Promise<QuicConnection>;
  report(): EngineReport;
  /** Ends everything that is left. Idempotent; leaves no handle, timer or socket behind. */
  close(): Promise<void>;
}
