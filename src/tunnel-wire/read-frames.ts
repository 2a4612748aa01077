import type { FrameReader } from '../protocol/tunnel/frame.ts';
import type { QuicStream } from '../quic/types.ts';

/** Why no further frame comes from a stream. `oversize frame`: a frame is longer than the reader takes. */
export type FramesEnd = 'finished' | 'inside a frame' | 'reset' | 'oversize frame';

export type NextFrame =
  /** One frame's payload; a view that is valid until the next call. */
  | { readonly kind: 'frame'; readonly payload: Uint8Array }
  /** Nothing to read now. */
  | { readonly kind: 'blocked' }
  | { readonly kind: 'ended'; readonly how: FramesEnd };

/** Large enough for any frame that edges send, small enough that a turn of one peer is short. */
const readBytes = 16_384;

/**
 * The next frame of a control stream (docs/protocol/tunnel.md §2), reading more bytes where they are needed. Call it
 * until it returns `blocked` or `ended`. `onBytes` is called for each read that gave bytes.
 */
export function nextFrame(stream: QuicStream, frames: FrameReader, onBytes?: () => void): NextFrame {
  for (;;) {
    const frame = frames.next();
    if (frame.kind === 'frame') return frame;
    if (frame.kind === 'oversize') return { kind: 'ended', how: 'oversize frame' };
    const read = stream.read(readBytes);
    switch (read.kind) {
      case 'data':
        onBytes?.();
        frames.push(read.bytes);
        break;
      case 'blocked':
        return read;
      case 'finished':
        return { kind: 'ended', how: frames.bufferedBytes > 0 ? 'inside a frame' : 'finished' };
      case 'reset':
        return { kind: 'ended', how: 'reset' };
    }
  }
}
