import type { EngineCounters } from '../engine-report.ts';

export type MutableCounters = { -readonly [Name in keyof EngineCounters]: EngineCounters[Name] };

export function createCounters(): MutableCounters {
  return {
    unboundSender: 0,
    malformed: 0,
    strayPackets: 0,
    packetsReceived: 0,
    packetsSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    retriesSent: 0,
    resetsSent: 0,
    refusalsSent: 0,
    handshakesStarted: 0,
    handshakesFailed: 0,
    sendErrors: 0,
  };
}
