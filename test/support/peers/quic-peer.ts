import type { CloseInfo } from '../../../src/quic/connection-report.ts';
import type {
  ConnectionHandler,
  ListenerHandler,
  QuicConnection,
  QuicStream,
  ReadResult,
  SocketAddress,
  StreamHandler,
} from '../../../src/quic/types.ts';
import { until } from '../until.ts';

/** A stream that is read as fast as data comes (until `pause`), and remembers everything. */
export class RecordedStream implements StreamHandler {
  readonly stream: QuicStream;
  readonly chunks: Uint8Array[] = [];
  length = 0;
  end: Exclude<ReadResult, { kind: 'data' | 'blocked' }> | null = null;
  stopped: number | null = null;
  writables = 0;
  #paused = false;

  constructor(stream: QuicStream) {
    this.stream = stream;
    stream.setHandler(this);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.bytes.toString('utf8');
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.onReadable();
  }

  onReadable(): void {
    while (!this.#paused) {
      const result = this.stream.read(65_536);
      if (result.kind === 'data') {
        this.chunks.push(result.bytes);
        this.length += result.bytes.length;
        continue;
      }
      if (result.kind !== 'blocked') this.end = result;
      return;
    }
  }

  onWritable(): void {
    this.writables += 1;
  }

  onStopped(code: number): void {
    this.stopped = code;
  }
}

/** One end of a connection, recording all that happens on it. */
export class RecordedConnection implements ConnectionHandler {
  readonly datagrams: Buffer[] = [];
  readonly streams: RecordedStream[] = [];
  readonly addresses: SocketAddress[] = [];
  closed: CloseInfo | null = null;
  closes = 0;
  /** Called for each stream of the peer before it is read. Answers false to leave the stream alone. */
  intercept: (stream: QuicStream) => boolean = () => true;
  #connection: QuicConnection | null = null;

  get connection(): QuicConnection {
    if (this.#connection === null) throw new Error('not connected');
    return this.#connection;
  }

  attach(connection: QuicConnection): void {
    this.#connection = connection;
  }

  /** Opens a stream that is read as fast as data comes. */
  open(): RecordedStream {
    const stream = this.connection.openBidi();
    if (stream === null) throw new Error('no stream is granted');
    return new RecordedStream(stream);
  }

  /** The same, once the peer grants a stream. */
  async opened(): Promise<RecordedStream> {
    return new RecordedStream(await until(() => this.connection.openBidi(), { what: 'a stream is granted' }));
  }

  onStream(stream: QuicStream): void {
    if (this.intercept(stream)) this.streams.push(new RecordedStream(stream));
  }

  onDatagram(payload: Uint8Array): void {
    this.datagrams.push(Buffer.from(payload));
  }

  onAddressChange(remote: SocketAddress): void {
    this.addresses.push(remote);
  }

  onClosed(info: CloseInfo): void {
    this.closed = info;
    this.closes += 1;
  }
}

/** A listener's handler for connections that nobody looks at. */
export class AcceptAll implements ListenerHandler {
  onIncoming(): 'accept' {
    return 'accept';
  }
  onConnection(): RecordedConnection {
    return new RecordedConnection();
  }
  onHandshakeFailed(): void {}
  onFailed(): void {}
}
