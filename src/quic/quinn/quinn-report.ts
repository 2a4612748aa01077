import type { EngineReport } from '../engine-report.ts';

/** Reads the numbers of `NativeBinding.report`; missing ones (no thread yet) are 0. */
export function readReport(numbers: readonly number[]): EngineReport {
  const field = (i: number): number => numbers[i] ?? 0;
  return {
    name: 'native',
    counters: {
      unboundSender: field(0),
      malformed: field(1),
      strayPackets: field(2),
      packetsReceived: field(3),
      packetsSent: field(4),
      bytesReceived: field(5),
      bytesSent: field(6),
      retriesSent: field(7),
      resetsSent: field(8),
      refusalsSent: field(9),
      handshakesStarted: field(10),
      handshakesFailed: field(11),
      sendErrors: field(12),
    },
    connections: field(13),
    nativeBytes: field(14),
  };
}
