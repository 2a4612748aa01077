import { createHash, randomBytes } from 'node:crypto';
import { FrameReader } from '../../src/protocol/tunnel/frame.ts';
import { MAX_STREAM_HEADER_BYTES } from '../../src/protocol/tunnel/limits.ts';
import type { QuicStream } from '../../src/quic/types.ts';
import type { Transfer } from './edge-calls.ts';
import type { Path, Receiver } from './path-group.ts';

const chunkBytes = 64 * 1024;
/** Streams start at different places of it, so that bytes that reach the wrong stream change both hashes. */
const pattern = randomBytes(2 * chunkBytes);
const numberBytes = 4;

/** Writes to this many streams at once for `seconds`, each begun with its number. */
export async function push(path: Path, { streams, seconds }: { streams: number; seconds: number }): Promise<Transfer> {
  const deadlineMs = performance.now() + seconds * 1000;
  return sum(await Promise.all(Array.from({ length: streams }, (_, number) => pushOne(path, number, deadlineMs))));
}

interface StreamEnd {
  readonly number: number;
  readonly bytes: number;
  readonly digest: string;
}

function pushOne(path: Path, number: number, deadlineMs: number): Promise<StreamEnd> {
  const stream = path.openStream();
  const hash = createHash('sha256');
  const first = Buffer.alloc(numberBytes);
  first.writeUInt32BE(number);
  const chunk = pattern.subarray((number * 997) % chunkBytes, ((number * 997) % chunkBytes) + chunkBytes);
  let bytes = 0;
  const write = (piece: Uint8Array): boolean => {
    hash.update(piece);
    bytes += piece.length;
    return stream.write(piece);
  };
  return new Promise((resolve, reject) => {
    const fill = (): void => {
      while (performance.now() < deadlineMs) if (!write(chunk)) return;
      stream.finish();
      resolve({ number, bytes, digest: hash.digest('hex') });
    };
    stream.setHandler({
      onReadable: () => undefined,
      onWritable: fill,
      onStopped: (code) => reject(new Error(`stream ${number} was stopped with code ${code}`)),
    });
    write(first);
    fill();
  });
}

/** Reads and hashes what the other end pushes. */
export class Sink implements Receiver {
  readonly #streams: number;
  readonly #ended = Promise.withResolvers<Transfer>();
  readonly #ends: StreamEnd[] = [];

  constructor(streams: number) {
    this.#streams = streams;
  }

  /** Resolves once all streams have ended; rejects when one is reset. */
  get ended(): Promise<Transfer> {
    return this.#ended.promise;
  }

  onDatagram(): void {
    // A flow of another figure may still have one on its way.
  }

  onStream(stream: QuicStream): void {
    const reader = new NumberedReader(stream);
    const drain = (): void => {
      const outcome = reader.drain();
      if (outcome === 'open') return;
      if (typeof outcome === 'number') this.#ended.reject(new Error(`a stream was reset with code ${outcome}`));
      else this.#end(stream, outcome);
    };
    stream.setHandler({ onReadable: drain, onWritable: () => undefined, onStopped: () => undefined });
    drain();
  }

  #end(stream: QuicStream, end: StreamEnd): void {
    stream.finish();
    this.#ends.push(end);
    if (this.#ends.length === this.#streams) this.#ended.resolve(sum(this.#ends));
  }
}

/** Takes header and number off a stream and hashes the rest, number included. */
class NumberedReader {
  readonly #stream: QuicStream;
  readonly #header = new FrameReader(MAX_STREAM_HEADER_BYTES);
  readonly #hash = createHash('sha256');
  #inHeader = true;
  #first = Buffer.alloc(0);
  #bytes = 0;

  constructor(stream: QuicStream) {
    this.#stream = stream;
  }

  /** The end, the code of a reset, or that more will come. */
  drain(): StreamEnd | number | 'open' {
    for (;;) {
      const read = this.#stream.read(this.#inHeader ? this.#header.needed : chunkBytes);
      if (read.kind === 'blocked') return 'open';
      if (read.kind === 'reset') return read.code;
      if (read.kind === 'finished') return this.#end();
      if (this.#inHeader) this.#readHeader(read.bytes);
      else this.#take(read.bytes);
    }
  }

  #readHeader(bytes: Uint8Array): void {
    this.#header.push(bytes);
    this.#inHeader = this.#header.next().kind === 'incomplete';
  }

  #take(bytes: Uint8Array): void {
    if (this.#first.length < numberBytes) this.#first = Buffer.concat([this.#first, bytes.subarray(0, numberBytes)]);
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }

  #end(): StreamEnd {
    const number = this.#first.length < numberBytes ? 0 : this.#first.readUInt32BE();
    return { number, bytes: this.#bytes, digest: this.#hash.digest('hex') };
  }
}

function sum(ends: readonly StreamEnd[]): Transfer {
  const byNumber = [...ends].sort((a, b) => a.number - b.number);
  const bytes = ends.reduce((total, end) => total + end.bytes, 0);
  return { bytes, digests: byNumber.map(({ digest }) => digest) };
}
