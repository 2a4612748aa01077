import { FrameReader } from '../../src/protocol/tunnel/frame.ts';
import { MAX_STREAM_HEADER_BYTES } from '../../src/protocol/tunnel/limits.ts';
import type { QuicStream } from '../../src/quic/types.ts';
import { ascending, quantile } from '../statistics.ts';
import { probeFlow, writeNumber } from './datagram-tally.ts';
import type { PingPongArgs, RoundTrips } from './edge-calls.ts';
import type { Path, PathGroup, Receiver } from './path-group.ts';

/** A ping that has no answer by then counts as lost. */
const lostAfterMs = 500;
const readBytes = 65_536;

/** Sends everything back. */
export const echo: Receiver = {
  onDatagram: (datagram, path) => path.send(datagram),
  onStream: (stream) => {
    const header = new FrameReader(MAX_STREAM_HEADER_BYTES);
    let inHeader = true;
    const drain = (): void => {
      for (;;) {
        const read = stream.read(inHeader ? header.needed : readBytes);
        if (read.kind === 'finished') stream.finish();
        if (read.kind !== 'data') return;
        if (inHeader) {
          header.push(read.bytes);
          inHeader = header.next().kind === 'incomplete';
        } else {
          stream.write(read.bytes);
        }
      }
    };
    stream.setHandler({ onReadable: drain, onWritable: () => undefined, onStopped: () => undefined });
    drain();
  },
};

/** One ping after the other for `seconds`, over the group's first path. */
export async function pingPong(group: PathGroup, { kind, seconds, bytes }: PingPongArgs): Promise<RoundTrips> {
  const path = group.firstPath();
  const court = kind === 'datagram' ? new DatagramCourt(group, path, bytes) : new StreamCourt(path, bytes);
  const endMs = performance.now() + seconds * 1000;
  const trips: number[] = [];
  let lost = 0;
  while (performance.now() < endMs) {
    const start = performance.now();
    if (await court.play()) trips.push((performance.now() - start) * 1000);
    else lost += 1;
  }
  court.end();
  const sorted = ascending(trips);
  const [p50, p99, p999] = [quantile(sorted, 0.5), quantile(sorted, 0.99), quantile(sorted, 0.999)];
  return { count: trips.length, lost, p50, p99, p999 };
}

interface Court {
  /** False when the ball did not come back. */
  play(): Promise<boolean>;
  end(): void;
}

class DatagramCourt implements Court {
  readonly #path: Path;
  readonly #ball: Buffer;
  #number = 0;
  #onReturn: ((number: number) => void) | null = null;

  constructor(group: PathGroup, path: Path, bytes: number) {
    this.#path = path;
    this.#ball = Buffer.alloc(bytes);
    this.#ball.set(path.prefix);
    group.receiver = {
      onDatagram: (datagram) => {
        const view = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.byteLength);
        this.#onReturn?.(view.length === bytes ? view.readUInt32BE(bytes - 4) : NaN);
      },
      onStream: (stream) => stream.stop(0),
    };
  }

  play(): Promise<boolean> {
    const number = this.#number++;
    writeNumber(this.#ball, probeFlow, number);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), lostAfterMs);
      this.#onReturn = (returned) => {
        if (returned !== number) return;
        clearTimeout(timer);
        resolve(true);
      };
      this.#path.send(this.#ball);
    });
  }

  end(): void {
    this.#onReturn = null;
  }
}

class StreamCourt implements Court {
  readonly #stream: QuicStream;
  readonly #ball: Buffer;
  #missing = 0;
  #onReturn: ((whole: boolean) => void) | null = null;

  constructor(path: Path, bytes: number) {
    this.#ball = Buffer.alloc(bytes, 7);
    this.#stream = path.openStream();
    this.#stream.setHandler({
      onReadable: () => this.#read(),
      onWritable: () => undefined,
      onStopped: () => this.#onReturn?.(false),
    });
  }

  play(): Promise<boolean> {
    this.#missing = this.#ball.length;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), lostAfterMs * 10);
      this.#onReturn = (whole) => {
        clearTimeout(timer);
        resolve(whole);
      };
      this.#stream.write(this.#ball);
    });
  }

  end(): void {
    this.#stream.finish();
  }

  #read(): void {
    for (;;) {
      const read = this.#stream.read(readBytes);
      if (read.kind === 'blocked') return;
      if (read.kind !== 'data') {
        this.#onReturn?.(false);
        return;
      }
      this.#missing -= read.bytes.length;
      if (this.#missing === 0) this.#onReturn?.(true);
    }
  }
}
