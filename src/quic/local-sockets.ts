/**
 * Sockets of local programs at the end of a tunnel. Control decides what is opened, joined and reset; whoever
 * implements this seals, opens and moves the bytes (docs/protocol/tunnel.md §4). The native engine does so on its own
 * thread; for an engine that does not, the edge has an implementation of its own.
 *
 * Ordering: no callback runs inside a call, and none may throw.
 */

import type { QuicEngine, QuicStream, SocketAddress } from './types.ts';

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

/** What an engine's local sockets of one tunnel have moved. Bytes are of local payload; numbers never fall. */
export interface LocalCounts {
  readonly streamBytesSent: number;
  readonly streamBytesReceived: number;
  /** Streams that carried what the key does not open, or ended inside a chunk. */
  readonly brokenStreams: number;
}

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
}

export interface LocalSockets {
  openTunnel(options: LocalTunnelOptions): LocalTunnel;
}

/** An engine as an edge wants it. */
export interface EdgeEngine extends QuicEngine {
  /** Null: this engine moves no bytes of local sockets. */
  readonly localSockets: LocalSockets | null;
}
