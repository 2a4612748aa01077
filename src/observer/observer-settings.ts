import type { BeatKeys } from './beats/beat-opener.ts';

/** What an observer needs to know; times in milliseconds. */
export interface ObserverSettings {
  readonly thresholdMs: number;
  readonly socket: { readonly path: string; readonly mode: number; readonly receiveBufferBytes: number } | null;
  readonly udp: {
    readonly host: string;
    /** 0 for any. */
    readonly port: number;
    /** Null takes plaintext. */
    readonly keys: BeatKeys | null;
    /** The operator vouches for everything that reaches the port. */
    readonly attested: boolean;
  } | null;
  readonly allowedUids: readonly number[];
  readonly capacity: number;
  readonly evictionPolicy: 'strict' | 'balanced';
  readonly evictionScanWindow: number;
  readonly originPolicy: 'first' | 'stronger';
  /** Accepted beats of one pid per second; 0 for any. */
  readonly maxBeatRate: number;
  /** Beats of all pids per second; 0 for any. */
  readonly globalBeatRate: number;
  readonly globalBeatBurst: number;
  readonly clockSource: 'monotonic' | 'boottime';
  readonly allowCrossNamespace: boolean;
  /** Beats are gathered for so long, at most half a threshold. */
  readonly pollIntervalMs: number;
}
