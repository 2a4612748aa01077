/** Names, units and defaults are those of `quic` and `limits` in config.json (docs/protocol/manager.md §6). */
export interface TransportSettings {
  readonly alpn: string;
  readonly idleTimeoutMs: number;
  /** PINGs are sent when nothing else was for this long. */
  readonly keepAliveMs: number;
  readonly handshakeTimeoutMs: number;
  /**
   * Upper bound of UDP payloads sent; also what path MTU discovery climbs to. Falls back to 1200 when larger packets
   * alone are lost.
   */
  readonly maxUdpPayload: number;
  readonly maxBidiStreams: number;
  readonly maxUniStreams: number;
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** Queue of datagrams towards one peer: the oldest go first (conformance S6). */
  readonly datagramQueueBytes: number;
  readonly datagramQueueMs: number;
  /**
   * Bytes a peer may send before `markProven`; past it the connection is closed (conformance A3). 0 = no limit (dialled
   * connections).
   */
  readonly unprovenBytes: number;
  /**
   * Bytes in packets that brought no stream or datagram data beyond what was seen useful; past it the connection is
   * closed (docs/quiche.md). 0 = no limit.
   */
  readonly uselessBytes: number;
  /** True: datagrams without a route are handed to `onDatagram`. False: counted as `unboundSender` and dropped. */
  readonly localDatagrams: boolean;
  /** Asked of the kernel for each UDP socket; the engine reports what it got. */
  readonly socketBufferBytes: number;
}
