import type { Socket } from 'node:net';
import type { LocalTcpPipe, LocalTcpPipeHandler } from '../../quic/local-sockets.ts';
import type { QuicStream, StreamHandler } from '../../quic/types.ts';
import { ChunkOpener } from './chunk-opener.ts';
import { edgeStreamCode, type LocalEndDependencies } from './local-end.ts';

export interface TcpPipeDependencies extends Pick<LocalEndDependencies, 'cipher' | 'counters' | 'logger'> {
  readonly handler: LocalTcpPipeHandler;
}

const readBytes = 65_536;

/**
 * Joins a connected local socket and a data stream: bytes sealed and opened, back-pressure, FIN, and half-close, each
 * direction on its own. A TCP connection cannot be reset in one direction, so a reset on either side ends both.
 */
export class TcpPipe implements LocalTcpPipe, StreamHandler {
  readonly #dependencies: TcpPipeDependencies;
  readonly #socket: Socket;
  readonly #stream: QuicStream;
  readonly #opener: ChunkOpener;
  #error: Error | null = null;
  /** Our direction of the stream has its end: finished, reset, or stopped by the peer. */
  #outOver = false;
  /** So has the peer's. */
  #inOver = false;

  constructor(dependencies: TcpPipeDependencies, socket: Socket, stream: QuicStream) {
    this.#dependencies = dependencies;
    this.#socket = socket;
    this.#stream = stream;
    this.#opener = new ChunkOpener(dependencies.cipher);
  }

  /** To be called once, with a socket that is connected and paused. */
  start(): void {
    this.#socket
      .on('data', (bytes) => this.#onLocalData(bytes))
      .on('end', () => this.#onLocalEnd())
      .on('drain', () => this.onReadable())
      // Reported by `close`, which follows.
      .on('error', (error) => (this.#error = error))
      .on('close', () => this.#onLocalClose());
    this.#stream.setHandler(this);
    this.#socket.resume();
    this.onReadable();
  }

  /** Resets both sides: the stream with `code`, the socket with RST. */
  abort(code: number): void {
    if (!this.#outOver) this.#stream.reset(code);
    if (!this.#inOver) this.#stream.stop(code);
    this.#outOver = true;
    this.#inOver = true;
    this.#socket.resetAndDestroy();
  }

  onReadable(): void {
    while (!this.#inOver && !this.#socket.destroyed && !this.#socket.writableNeedDrain) {
      const result = this.#stream.read(readBytes);
      switch (result.kind) {
        case 'blocked':
          return;
        case 'data':
          this.#deliver(result.bytes);
          break;
        case 'finished':
          this.#onPeerEnd();
          return;
        case 'reset':
          this.#inOver = true;
          this.abort(result.code);
          return;
      }
    }
  }

  onWritable(): void {
    this.#socket.resume();
  }

  /**
   * The peer takes no more, but bytes that it sent may not be delivered yet. So local bytes are read and dropped, and
   * the connection ends when the peer's direction is delivered.
   */
  onStopped(code: number): void {
    this.#dependencies.logger.debug({ code }, 'peer stopped reading');
    this.#outOver = true;
    this.#socket.resume();
    if (this.#inOver) this.#socket.destroySoon();
  }

  #deliver(bytes: Uint8Array): void {
    this.#opener.push(bytes);
    for (let chunk = this.#opener.next(); chunk.kind !== 'incomplete'; chunk = this.#opener.next()) {
      if (chunk.kind === 'broken') {
        this.#dependencies.counters.decryptError();
        this.abort(edgeStreamCode.notAuthentic);
        return;
      }
      this.#dependencies.counters.streamBytesReceived(chunk.bytes.length);
      this.#socket.write(chunk.bytes);
    }
  }

  #onPeerEnd(): void {
    this.#inOver = true;
    if (!this.#opener.atBoundary) {
      this.#dependencies.counters.decryptError();
      this.abort(edgeStreamCode.notAuthentic);
      return;
    }
    this.#socket.end();
    if (this.#outOver && !this.#socket.readableEnded) this.#socket.destroySoon();
  }

  #onLocalData(bytes: Uint8Array): void {
    if (this.#outOver) return;
    const { cipher, counters, handler } = this.#dependencies;
    counters.streamBytesSent(bytes.length);
    handler.onSent();
    if (!this.#stream.write(cipher.sealChunks(bytes))) this.#socket.pause();
  }

  #onLocalEnd(): void {
    if (this.#outOver) return;
    this.#outOver = true;
    this.#stream.finish();
  }

  /** Also follows `abort`, and a clean end of both directions. */
  #onLocalClose(): void {
    if (!this.#outOver) this.#stream.reset(edgeStreamCode.localReset);
    if (!this.#inOver) this.#stream.stop(edgeStreamCode.localReset);
    this.#outOver = true;
    this.#inOver = true;
    this.#dependencies.handler.onEnd(this.#error);
  }
}
