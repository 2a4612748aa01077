export type EngineName = 'native' | 'quiche';

/** Totals of an engine since it was made; they never fall. */
export interface EngineCounters {
  /** Datagrams or bytes-carrying prefixes from connections that hold no leg of the tunnel named. */
  readonly unboundSender: number;
  /** Datagrams under 16 bytes. */
  readonly malformed: number;
  /** UDP packets that belong to no connection and start none. */
  readonly strayPackets: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly retriesSent: number;
  readonly resetsSent: number;
  readonly refusalsSent: number;
  readonly handshakesStarted: number;
  readonly handshakesFailed: number;
  /** UDP sends that the kernel refused (buffer full, unreachable). */
  readonly sendErrors: number;
}

export interface EngineReport {
  readonly name: EngineName;
  readonly counters: EngineCounters;
  readonly connections: number;
  /** Native memory held for connections, estimated; null where unknown. */
  readonly nativeBytes: number | null;
}
