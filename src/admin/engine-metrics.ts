import { Counter, Gauge, type Registry } from 'prom-client';
import type { EngineCounters, EngineReport } from '../quic/engine-report.ts';

const counters: Readonly<Record<keyof EngineCounters, readonly [name: string, help: string]>> = {
  unboundSender: ['adit_quic_unbound_sender_total', 'Datagrams from connections that hold no leg of the tunnel named.'],
  malformed: ['adit_quic_malformed_datagrams_total', 'Datagrams shorter than a tunnel id.'],
  strayPackets: ['adit_quic_stray_packets_total', 'UDP packets that belong to no connection and start none.'],
  packetsReceived: ['adit_quic_packets_received_total', 'UDP packets received.'],
  packetsSent: ['adit_quic_packets_sent_total', 'UDP packets sent.'],
  bytesReceived: ['adit_quic_bytes_received_total', 'UDP payload bytes received.'],
  bytesSent: ['adit_quic_bytes_sent_total', 'UDP payload bytes sent.'],
  retriesSent: ['adit_quic_retries_sent_total', 'Attempts that were answered with Retry.'],
  resetsSent: ['adit_quic_resets_sent_total', 'Stateless resets sent.'],
  refusalsSent: ['adit_quic_refusals_sent_total', 'Attempts that were refused.'],
  handshakesStarted: ['adit_quic_handshakes_started_total', 'Handshakes begun.'],
  handshakesFailed: ['adit_quic_handshakes_failed_total', 'Handshakes that did not end in a connection.'],
  sendErrors: ['adit_quic_send_errors_total', 'UDP sends that the kernel refused.'],
};

/** What the QUIC engine reports of itself. */
export function addEngineMetrics(registry: Registry, report: () => EngineReport): void {
  const registers = [registry];
  for (const [key, [name, help]] of Object.entries(counters)) {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(report().counters[key as keyof EngineCounters]);
      },
    });
  }
  new Gauge({
    name: 'adit_quic_connections',
    help: 'Open QUIC connections.',
    registers,
    collect() {
      this.set(report().connections);
    },
  });
  new Gauge({
    name: 'adit_quic_native_memory_bytes',
    help: 'Native memory held for connections; no sample where the engine does not know.',
    registers,
    collect() {
      const { nativeBytes } = report();
      if (nativeBytes === null) this.remove();
      else this.set(nativeBytes);
    },
  });
}
