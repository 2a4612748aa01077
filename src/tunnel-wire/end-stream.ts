import type { QuicStream } from '../quic/types.ts';

/** Resets our direction of a stream and stops the peer's, each with `code`, as for a stream that is refused. */
export function endStream(stream: QuicStream, code: number): void {
  if (stream.bidirectional) stream.reset(code);
  stream.stop(code);
}
