/** What one SRT connection is set to; the fields are those of the SRT keys of a flow in edge.json, in milliseconds. */
export interface SrtSettings {
  /** How long this end holds what it receives. The connection uses the larger of both ends' values. */
  readonly receiveLatencyMs: number;
  /** The least that the peer is asked to hold. */
  readonly peerLatencyMs: number;
  readonly peerIdleTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Null for none. */
  readonly passphrase: string | null;
  /** Null: 16 for a caller, and a listener takes what comes. */
  readonly keyBytes: KeyBytes | null;
  /** Refuse a peer with another passphrase, or with one where this end has none. */
  readonly enforcedEncryption: boolean;
  /** A caller sends it. */
  readonly streamId: string | null;
  /** Most packets in flight that this end takes. */
  readonly flightWindow: number;
  readonly sendBufferPackets: number;
  readonly receiveBufferPackets: number;
  /** Added to when the sender gives a packet up; -1 never gives one up. */
  readonly sendDropDelayMs: number;
  /** How many later packets may come before a missing one is reported. */
  readonly lossMaxTtl: number;
  /** Packets under one key, and how long before its end the next is announced. */
  readonly keyRefreshPackets: number;
  readonly keyAnnouncePackets: number;
  readonly mss: number;
  readonly tooLateDrop: boolean;
  /** Whether a packet that was sent again within one round trip is left alone when it is reported lost again. */
  readonly patientRetransmit: boolean;
  readonly bandwidth: BandwidthLimit;
  /** Bytes a second for what is sent again; null without a limit. */
  readonly retransmitBytesPerSecond: number | null;
}

export type KeyBytes = 16 | 24 | 32;

export type BandwidthLimit =
  | { readonly kind: 'unlimited' }
  | { readonly kind: 'fixed'; readonly bytesPerSecond: number }
  /** `overheadPercent` above the rate that is written, as measured. */
  | { readonly kind: 'measured'; readonly overheadPercent: number };
