import type { Logger } from '../../lib/logger.ts';
import { streamCode } from '../../protocol/tunnel/close-code.ts';
import { parseRelayMessage, type RelayMessage } from '../../protocol/tunnel/control-message.ts';
import { FrameReader } from '../../protocol/tunnel/frame.ts';
import { MAX_CONTROL_FRAME_BYTES } from '../../protocol/tunnel/limits.ts';
import type { QuicStream } from '../../quic/types.ts';
import { nextFrame } from '../../tunnel-wire/read-frames.ts';

export interface RelayMessageObserver {
  /** Something came; also called for what is ignored. */
  onHeard(): void;
  onMessage(message: RelayMessage): void;
  /** No more messages come from this stream. */
  onEnd(): void;
}

const ignore = (): void => undefined;

/** Reads a relay's messages from its control stream or a uni stream until it ends. */
export function readRelayMessages(stream: QuicStream, logger: Logger, observer: RelayMessageObserver): void {
  const frames = new FrameReader(MAX_CONTROL_FRAME_BYTES);
  const take = (payload: Uint8Array): void => {
    const parsed = parseRelayMessage(payload);
    if (parsed.kind === 'message') observer.onMessage(parsed.message);
    else logger.debug({ ...parsed }, 'relay message ignored');
  };
  const onReadable = (): void => {
    for (;;) {
      const next = nextFrame(stream, frames, () => observer.onHeard());
      if (next.kind === 'blocked') return;
      if (next.kind === 'frame') {
        take(next.payload);
        continue;
      }
      // A frame longer than the contract allows: the stream is out of step for good.
      if (next.how === 'oversize frame') stream.stop(streamCode.badStreamHeader);
      observer.onEnd();
      return;
    }
  };
  // The few small messages that an edge sends fit any window; a relay that stops them falls silent, which is noticed.
  stream.setHandler({ onReadable, onWritable: ignore, onStopped: ignore });
}
