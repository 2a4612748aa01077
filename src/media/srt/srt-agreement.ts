import type { StreamKeys } from './key-material.ts';
import type { KeyBytes } from './srt-settings.ts';

/** What both ends have agreed on in the handshake. */
export interface SrtAgreement {
  /** Timestamps of this end count from here. */
  readonly startUs: number;
  readonly socketId: number;
  readonly peerSocketId: number;
  /** Both directions start with it. */
  readonly initialSequence: number;
  readonly receiveLatencyMs: number;
  readonly sendLatencyMs: number;
  /** Most packets in flight that the peer takes. */
  readonly flightWindow: number;
  /** `major.minor.patch` as bytes. */
  readonly peerVersion: number;
  readonly streamId: string | null;
  readonly keys: { readonly stream: StreamKeys; readonly keyBytes: KeyBytes } | null;
  /** The peer's handshake message: when it came and how it was stamped. */
  readonly heardAtUs: number;
  readonly heardTimestamp: number;
}
