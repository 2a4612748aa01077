import type { Logger } from '../../lib/logger.ts';
import { streamCode } from '../../protocol/tunnel/close-code.ts';
import { parseRelayMessage, type RelayMessage } from '../../protocol/tunnel/control-message.ts';
import { FrameReader } from '../../protocol/tunnel/frame.ts';
import { MAX_CONTROL_FRAME_BYTES } from '../../protocol/tunnel/limits.ts';
import type { QuicStream } from '../../quic/types.ts';

export interface RelayMessageObserver {
  /** Something came; also called for what is ignored. */
  onHeard(): void;
  onMessage(message: RelayMessage): void;
  /** No more messages come from this stream. */
  onEnd(): void;
}

const readBytes = 16_384;
const ignore = (): void => undefined;

/** Reads a relay's messages from its control stream or a uni stream until it ends. */
export function readRelayMessages(stream: QuicStream, logger: Logger, observer: RelayMessageObserver): void {
  const reader = new FrameReader(MAX_CONTROL_FRAME_BYTES);
  const onReadable = (): void => {
    for (let result = stream.read(readBytes); result.kind !== 'blocked'; result = stream.read(readBytes)) {
      if (result.kind !== 'data') {
        observer.onEnd();
        return;
      }
      observer.onHeard();
      reader.push(result.bytes);
      if (!takeFrames(reader, logger, observer)) {
        stream.stop(streamCode.badStreamHeader);
        observer.onEnd();
        return;
      }
    }
  };
  // The few small messages that an edge sends fit any window, and a relay that stops them is heard of by its silence.
  stream.setHandler({ onReadable, onWritable: ignore, onStopped: ignore });
}

/** False when a frame was longer than the contract allows: the stream is out of step for good. */
function takeFrames(reader: FrameReader, logger: Logger, observer: RelayMessageObserver): boolean {
  for (let frame = reader.next(); frame.kind !== 'incomplete'; frame = reader.next()) {
    if (frame.kind === 'oversize') return false;
    const parsed = parseRelayMessage(frame.payload);
    if (parsed.kind === 'message') observer.onMessage(parsed.message);
    else logger.debug({ ...parsed }, 'relay message ignored');
  }
  return true;
}
