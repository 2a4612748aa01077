import type { Clock, Timer } from '../lib/clock.ts';
import { streamCode, type StreamCode } from '../protocol/tunnel/close-code.ts';
import { FrameReader } from '../protocol/tunnel/frame.ts';
import { MAX_STREAM_HEADER_BYTES } from '../protocol/tunnel/limits.ts';
import { parseStreamHeader } from '../protocol/tunnel/stream-header.ts';
import type { TunnelId } from '../protocol/tunnel/tunnel-id.ts';
import type { QuicStream, StreamHandler } from '../quic/types.ts';

export interface HeaderOutcome {
  onHeader(tunnelId: TunnelId): void;
  /**
   * No usable header: malformed, too long, too late, or the stream ended before it. Both directions are to be ended.
   */
  onFailed(code: StreamCode): void;
}

export interface HeaderSettings {
  readonly deadlineMs: number;
  /** Whether an opener that does not read has given the stream up. A relay leaves that to the splice. */
  readonly failsWhenStopped: boolean;
}

/**
 * Reads the first frame of a data stream and not one byte more, so that all that follows it stays in the stream.
 * Calls exactly one of the two outcomes, never within the constructor, and none after `cancel`.
 */
export class HeaderReader implements StreamHandler {
  readonly #stream: QuicStream;
  readonly #outcome: HeaderOutcome;
  readonly #failsWhenStopped: boolean;
  readonly #frames = new FrameReader(MAX_STREAM_HEADER_BYTES);
  readonly #deadline: Timer;
  #done = false;

  constructor(clock: Clock, stream: QuicStream, outcome: HeaderOutcome, settings: HeaderSettings) {
    this.#stream = stream;
    this.#outcome = outcome;
    this.#failsWhenStopped = settings.failsWhenStopped;
    this.#deadline = clock.setTimeout(() => {
      this.#fail();
    }, settings.deadlineMs);
    stream.setHandler(this);
  }

  cancel(): void {
    this.#done = true;
    this.#deadline.cancel();
  }

  onReadable(): void {
    while (!this.#done) {
      if (this.#frames.needed === 0) {
        this.#finish();
        return;
      }
      const read = this.#stream.read(this.#frames.needed);
      if (read.kind === 'blocked') return;
      if (read.kind === 'data') this.#frames.push(read.bytes);
      else this.#fail();
    }
  }

  onWritable(): void {
    // Nothing is written before the header has been read.
  }

  onStopped(): void {
    if (this.#failsWhenStopped) this.#fail();
  }

  #finish(): void {
    const frame = this.#frames.next();
    const header = frame.kind === 'frame' ? parseStreamHeader(frame.payload) : null;
    if (header?.kind !== 'header') {
      this.#fail();
      return;
    }
    this.cancel();
    this.#outcome.onHeader(header.tunnelId);
  }

  #fail(): void {
    if (this.#done) return;
    this.cancel();
    this.#outcome.onFailed(streamCode.badStreamHeader);
  }
}
