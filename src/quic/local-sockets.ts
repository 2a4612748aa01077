/**
 * Sockets of local programs at the end of a tunnel. Control decides what is opened, joined and reset. The
 * implementation seals, opens and moves the bytes (docs/protocol/tunnel.md §4). The native engine does so on its own
 * thread; for an engine that does not, the edge has an implementation of its own.
 *
 * Ordering: no callback runs inside a call, and none may throw.
 */

import type { Ledger, QuicConnection, QuicEngine, QuicStream, SocketAddress } from './types.ts';

/** A local connection that is joined with a data stream, until it ends. */
export interface LocalTcpPipe {
  /**
   * Resets and stops the stream with `code`, and the local connection with RST. `onEnd` follows. Does nothing after the
   * end.
   */
  abort(code: number): void;
}

export interface LocalTcpPipeHandler {
  /** This thread wrote to the stream. What an engine writes by itself is in `QuicConnection.localSends`. */
  onSent(): void;
  /** Exactly once, when the local connection is gone; `error` is what it failed with. */
  onEnd(error: Error | null): void;
}

/** A connection with a local program that control has to decide on. */
export interface LocalTcpSocket {
  /**
   * Bytes, FIN and half-close cross in each direction on its own, sealed on the stream and plain on the socket, with
   * back-pressure. A reset on either side ends both. What was written to the stream goes first; neither it nor this
   * socket may be used afterwards.
   */
  join(stream: QuicStream, handler: LocalTcpPipeHandler): LocalTcpPipe;
  /** RST; or the end of an attempt to connect, whose handler is then not called any more. */
  reset(): void;
}

export interface LocalTcpListener {
  readonly port: number;
  /** Frees the address. What it accepted lives on. */
  close(): Promise<void>;
}

export interface LocalTcpListenerHandler {
  /** To be joined or reset; an engine accepts few more while many are neither. */
  onConnection(socket: LocalTcpSocket): void;
  /** A single connection could not be accepted; the next one may be. */
  onError(error: Error): void;
}

/** One of these two is called, once. */
export interface LocalTcpConnectHandler {
  onConnected(): void;
  onFailed(error: Error): void;
}

/** The TCP connections of one tunnel's local programs. */
export interface LocalTcp {
  /** Rejects with AppError `address-unavailable`. */
  listen(address: SocketAddress, handler: LocalTcpListenerHandler): Promise<LocalTcpListener>;
  connect(address: SocketAddress, handler: LocalTcpConnectHandler): LocalTcpSocket;
}

/** An open socket of a `LocalUdp`. */
export interface LocalUdpSocket {
  readonly port: number;
  /** Frees the address. */
  close(): Promise<void>;
}

/** The local UDP socket of one tunnel: one at a time, opened anew where control wants that. */
export interface LocalUdp {
  /**
   * `bind` listens and sends to the address that sent last, `connect` exchanges datagrams with `address` only. Rejects
   * with AppError `address-unavailable`.
   */
  open(mode: 'bind' | 'connect', address: SocketAddress): Promise<LocalUdpSocket>;
  /** What local programs send leaves by this connection from now on; null: it is counted as `noRelay`. */
  sendOver(connection: QuicConnection | null): void;
  /** This tunnel's datagrams that come on the connection go to the socket, in place of `onDatagram`. */
  receiveFrom(connection: QuicConnection): void;
  /** Nothing may follow. */
  close(): void;
}

export interface LocalUdpOptions {
  /** The tunnel id's 16 bytes. */
  readonly prefix: Uint8Array;
  /** Counts what is given to connections, as `sendDatagram` does. */
  readonly ledger: Ledger;
  /**
   * A datagram was not taken or given by the socket, or an ICMP error came. An error that repeats is reported ten times
   * a second at most.
   */
  readonly onError: (error: Error) => void;
}

/** In the order in which the native engine gives them. */
export const localCountNames = [
  'streamBytesSent',
  'streamBytesReceived',
  /** Streams that carried what the key does not open, or ended inside a chunk. */
  'brokenStreams',
  /** Datagrams of local programs, and those of them that no connection was given. */
  'offered',
  'noRelay',
  'expiredOut',
  /** Datagrams of relays, those given to the local socket, and those that were not. */
  'arrived',
  'delivered',
  'deliveredBytes',
  'expiredIn',
  'notAuthentic',
  'noSocket',
  'noLocalPeer',
  /** What the local UDP socket did not take or give. */
  'sendErrors',
  /** Datagrams of a program that had sent before the last sender did: answers go to the last sender alone. */
  'senderReturns',
] as const;

/** What an engine's local sockets of one tunnel have moved. Bytes are of local payload; numbers never fall. */
export type LocalCounts = Readonly<Record<(typeof localCountNames)[number], number>>;

export interface LocalTunnelOptions {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** Ends a stream whose local connection was reset or failed. */
  readonly localResetCode: number;
  /** Ends a stream that carried what the key does not open. */
  readonly notAuthenticCode: number;
}

/** The local sockets of one tunnel, as an engine has them. */
export interface LocalTunnel extends LocalTcp {
  counts(): LocalCounts;
  /** Once, for a tunnel that carries datagrams. */
  udp(options: LocalUdpOptions): LocalUdp;
}

export interface LocalSockets {
  openTunnel(options: LocalTunnelOptions): LocalTunnel;
}

/** An engine as an edge wants it. */
export interface EdgeEngine extends QuicEngine {
  /** Null: this engine moves no bytes of local sockets. */
  readonly localSockets: LocalSockets | null;
}
