import { FrameReader } from '../../protocol/tunnel/frame.ts';
import { MAX_STREAM_HEADER_BYTES } from '../../protocol/tunnel/limits.ts';
import { parseStreamHeader, type ParsedStreamHeader } from '../../protocol/tunnel/stream-header.ts';
import type { QuicStream } from '../../quic/types.ts';

/**
 * Reads the header of a data stream that the peer opened and not one byte more; `onHeader` comes once, later or never,
 * so the caller needs a deadline. A stream that ends early has a malformed header.
 */
export function readStreamHeader(stream: QuicStream, onHeader: (header: ParsedStreamHeader) => void): void {
  const reader = new FrameReader(MAX_STREAM_HEADER_BYTES);
  let done = false;
  const finish = (header: ParsedStreamHeader): void => {
    done = true;
    onHeader(header);
  };
  const onReadable = (): void => {
    while (!done) {
      const frame = reader.next();
      if (frame.kind === 'frame') {
        finish(parseStreamHeader(frame.payload));
      } else if (frame.kind === 'oversize') {
        finish({ kind: 'malformed', reason: 'header too long' });
      } else {
        const result = stream.read(reader.needed);
        if (result.kind === 'blocked') return;
        if (result.kind === 'data') reader.push(result.bytes);
        else finish({ kind: 'malformed', reason: 'stream ended in its header' });
      }
    }
  };
  const onStopped = (): void => {
    if (!done) finish({ kind: 'malformed', reason: 'stream stopped by its opener' });
  };
  // Nothing is written before the header is read.
  stream.setHandler({ onReadable, onWritable: () => undefined, onStopped });
}
