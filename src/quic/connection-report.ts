/** What a connection knows of its path; null where the engine does not know. Milliseconds and bytes. */
export interface ConnectionStats {
  /** Smoothed. Of quiche an estimate, up to a third too small and some 100 ms too large (window-floor.ts). */
  readonly rttMs: number | null;
  readonly minRttMs: number | null;
  readonly packetsSent: number | null;
  readonly packetsReceived: number | null;
  readonly packetsLost: number | null;
  readonly bytesSent: number | null;
  readonly bytesReceived: number | null;
  readonly congestionWindow: number | null;
  readonly bytesInFlight: number | null;
  /** Datagrams waiting to be sent to this peer. */
  readonly queuedDatagrams: number | null;
  readonly queuedDatagramBytes: number | null;
  /** Largest UDP payload that the path is known to carry. */
  readonly pathMtu: number | null;
  /** Largest DATAGRAM payload (prefix included) that can be sent now. */
  readonly maxDatagramSize: number | null;
}

/** Why a connection ended. `code` and `reason` are null where the cause carries none. */
export interface CloseInfo {
  readonly kind: 'local' | 'peer-application' | 'peer-transport' | 'idle' | 'reset' | 'error' | 'budget';
  readonly code: number | null;
  /** For people: the peer's words (control characters removed, at most 256 characters) or the engine's. */
  readonly reason: string;
}
