import type { BeatStatus } from '../../protocol/beat/beat-frame.ts';
import type { BeatOrigin } from './observer-event.ts';

/** What is remembered of one pid. */
export interface Slot {
  readonly pid: number;
  nonce: bigint;
  status: BeatStatus;
  payload: number;
  /** When the last accepted beat was received. */
  lastNs: number;
  origin: BeatOrigin;
  /** Of the first beat that came with one. */
  nsInode: bigint | null;
  /** When the kernel started the process, in clock ticks since boot; null when it could not be read. */
  startTime: number | null;
  /** A Stall was raised for the present silence. */
  stalled: boolean;
  beats: number;
  stalls: number;
}
