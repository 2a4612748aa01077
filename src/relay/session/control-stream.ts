import { encodeRelayMessage, type RelayMessage } from '../../protocol/tunnel/control-message.ts';
import { FrameReader } from '../../protocol/tunnel/frame.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { QuicStream, StreamHandler } from '../../quic/types.ts';
import { nextFrame, type FramesEnd } from '../../tunnel-wire/read-frames.ts';

export interface ControlStreamListener {
  /** One frame's payload; a view that is valid only during the call. */
  onFrame(payload: Uint8Array): void;
  /** Nothing more comes. Once. */
  onEnded(how: FramesEnd): void;
  /** The peer does not read what it is sent, and there is more of it than is kept. In a turn of its own. */
  onOverflow(): void;
}

export interface ControlStreamSettings {
  readonly maxFrameBytes: number;
  /** Bytes that may wait for a peer that does not read. */
  readonly maxQueuedBytes: number;
}

/** Frames of one peer in one turn of the event loop, so that a flood of them does not keep others waiting. */
const framesPerTurn = 128;

/**
 * The frames of a control stream. While the peer does not take our answers its questions are not read either, so what
 * it can make us hold is bounded by flow control.
 */
export class ControlStream implements StreamHandler {
  readonly #clock: Clock;
  readonly #stream: QuicStream;
  readonly #listener: ControlStreamListener;
  readonly #settings: ControlStreamSettings;
  readonly #frames: FrameReader;
  #blocked = false;
  #paused = false;
  #ended = false;
  #nextTurn: Timer | null = null;

  constructor(clock: Clock, stream: QuicStream, listener: ControlStreamListener, settings: ControlStreamSettings) {
    this.#clock = clock;
    this.#stream = stream;
    this.#listener = listener;
    this.#settings = settings;
    this.#frames = new FrameReader(settings.maxFrameBytes);
    stream.setHandler(this);
  }

  setMaxFrameBytes(bytes: number): void {
    this.#frames.maxFrameBytes = bytes;
  }

  send(message: RelayMessage): void {
    if (this.#blocked && this.#stream.queuedBytes > this.#settings.maxQueuedBytes) {
      this.#later(() => this.#listener.onOverflow());
    } else if (!this.#stream.write(encodeRelayMessage(message))) {
      this.#blocked = true;
    }
  }

  /** No further frame is taken until `resume`. */
  pause(): void {
    this.#paused = true;
  }

  /** Frames come again, in a later turn. */
  resume(): void {
    this.#paused = false;
    this.#later(() => this.#pump());
  }

  /** Stops reading; idempotent. What was sent still leaves. */
  stop(): void {
    this.#ended = true;
    this.#nextTurn?.cancel();
    this.#nextTurn = null;
  }

  onReadable(): void {
    this.#pump();
  }

  onWritable(): void {
    this.#blocked = false;
    this.#pump();
  }

  onStopped(): void {
    // Edges in the field stop reading when a tunnel is down, and stay; what is written from now on is dropped.
  }

  #pump(): void {
    for (let turn = 0; turn < framesPerTurn; turn++) {
      if (this.#ended || this.#blocked || this.#paused) return;
      const next = nextFrame(this.#stream, this.#frames);
      if (next.kind === 'blocked') return;
      if (next.kind === 'frame') this.#listener.onFrame(next.payload);
      else this.#end(next.how);
    }
    this.#later(() => this.#pump());
  }

  #end(how: FramesEnd): void {
    if (this.#ended) return;
    this.stop();
    this.#listener.onEnded(how);
  }

  #later(task: () => void): void {
    this.#nextTurn?.cancel();
    this.#nextTurn = this.#clock.setTimeout(() => {
      this.#nextTurn = null;
      task();
    }, 0);
  }
}
