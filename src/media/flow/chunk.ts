/** Where a chunk stood in an RTP stream. */
export interface RtpPosition {
  /** 16 bits. */
  readonly sequence: number;
  readonly ssrc: number;
}

/** Whole TS packets, at most seven, as they came in. Shared by all outputs, so it is never changed. */
export interface Chunk {
  readonly bytes: Buffer;
  /** When it is to go on, µs of the worker's monotonic clock: its arrival, or its time in the SRT latency buffer. */
  readonly timeUs: number;
  readonly rtp: RtpPosition | null;
}
