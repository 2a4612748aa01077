import type { CloseInfo } from '../connection-report.ts';
import type { SocketAddress } from '../types.ts';

/** Which error a failed dial becomes. */
export type DialFailure = 'connect-failed' | 'tls-failed' | 'timed-out';

/** Takes the events of a batch, in order. */
export interface EventSink {
  incoming(listener: number, attempt: number, validated: boolean, remote: SocketAddress): void;
  connected(listener: number, connection: number, remote: SocketAddress, local: SocketAddress): void;
  handshakeFailed(listener: number, remote: SocketAddress, reason: string): void;
  dialFailed(connection: number, failure: DialFailure, reason: string): void;
  closed(connection: number, info: CloseInfo): void;
  streamOpened(connection: number, stream: number): void;
  readable(connection: number, stream: number): void;
  writable(connection: number, stream: number): void;
  stopped(connection: number, stream: number, code: number): void;
  spliceEnded(splice: number): void;
  addressChanged(connection: number, remote: SocketAddress): void;
  /** `payload` is a view of the batch, valid only during the call. */
  datagram(connection: number, payload: Uint8Array): void;
  listenerFailed(listener: number, reason: string): void;
  listenerClosed(listener: number): void;
  /** `count` datagrams waited too long for this process, and were dropped. */
  lateDatagrams(connection: number, count: number): void;
  localAccepted(listener: number, socket: number): void;
  localConnected(socket: number): void;
  localFailed(socket: number, reason: string): void;
  /** `reason` is empty where nothing failed. */
  localEnded(socket: number, reason: string): void;
  localListenerError(listener: number, reason: string): void;
  localUdpError(leg: number, reason: string): void;
}

const closeKinds = ['local', 'peer-application', 'peer-transport', 'idle', 'reset', 'error', 'budget'] as const;
const dialFailures = ['connect-failed', 'tls-failed', 'timed-out'] as const;

/** The fields of a record (native/src/events.rs): little endian, f64 ids, u32 keys and lengths, u8 flags. */
class RecordReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(batch: Uint8Array) {
    this.#bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  flag(): boolean {
    return this.byte() !== 0;
  }

  key(): number {
    return this.#bytes.readUInt32LE(this.#advance(4));
  }

  id(): number {
    return this.#bytes.readDoubleLE(this.#advance(8));
  }

  blob(): Uint8Array {
    const length = this.key();
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  text(): string {
    const length = this.key();
    const start = this.#advance(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  address(): SocketAddress {
    const port = this.key();
    return { port, ip: this.text() };
  }

  #advance(length: number): number {
    const start = this.#at;
    this.#at += length;
    return start;
  }
}

type Deliver = (record: RecordReader, sink: EventSink) => void;

/** By kind byte. A call's arguments are evaluated from left to right, in the order of the fields. */
const kinds: readonly (Deliver | undefined)[] = [
  undefined,
  (r, sink) => sink.incoming(r.key(), r.key(), r.flag(), r.address()),
  (r, sink) => sink.connected(r.key(), r.id(), r.address(), r.address()),
  (r, sink) => sink.handshakeFailed(r.key(), r.address(), r.text()),
  (r, sink) => sink.dialFailed(r.id(), dialFailures[r.byte()] ?? 'connect-failed', r.text()),
  (r, sink) => sink.closed(r.id(), readCloseInfo(r)),
  (r, sink) => sink.streamOpened(r.id(), r.id()),
  (r, sink) => sink.readable(r.id(), r.id()),
  (r, sink) => sink.writable(r.id(), r.id()),
  (r, sink) => sink.stopped(r.id(), r.id(), r.id()),
  (r, sink) => sink.spliceEnded(r.id()),
  (r, sink) => sink.addressChanged(r.id(), r.address()),
  (r, sink) => sink.datagram(r.id(), r.blob()),
  (r, sink) => sink.listenerFailed(r.key(), r.text()),
  (r, sink) => sink.listenerClosed(r.key()),
  (r, sink) => sink.lateDatagrams(r.id(), r.key()),
  (r, sink) => sink.localAccepted(r.id(), r.id()),
  (r, sink) => sink.localConnected(r.id()),
  (r, sink) => sink.localFailed(r.id(), r.text()),
  (r, sink) => sink.localEnded(r.id(), r.text()),
  (r, sink) => sink.localListenerError(r.id(), r.text()),
  (r, sink) => sink.localUdpError(r.id(), r.text()),
];

function readCloseInfo(record: RecordReader): CloseInfo {
  const kind = closeKinds[record.byte()] ?? 'error';
  const hasCode = record.flag();
  const code = record.id();
  return { kind, code: hasCode ? code : null, reason: record.text() };
}

/**
 * Calls a sink for every event of a batch. If a handler throws although it must not, the other events still reach their
 * handlers. The first error is thrown at the end.
 */
export function tellEvents(batch: Uint8Array, sink: EventSink): void {
  const record = new RecordReader(batch);
  const errors: unknown[] = [];
  while (!record.isAtEnd) {
    const kind = record.byte();
    const deliver = kinds[kind];
    if (deliver === undefined) throw new Error(`event kind ${kind} of the native engine is unknown: rebuild it`);
    try {
      deliver(record, sink);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
