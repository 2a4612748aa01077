import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { addEngineMetrics } from '../../../../src/admin/engine-metrics.ts';
import { addProcessMetrics } from '../../../../src/admin/process-metrics.ts';
import { EventLoopWatch } from '../../../../src/lib/event-loop-watch.ts';
import { addEventMetrics } from '../../../../src/relay/admin/event-metrics.ts';
import { addFieldMetrics } from '../../../../src/relay/admin/field-metrics.ts';
import { addRelayMetrics } from '../../../../src/relay/admin/relay-metrics.ts';
import { addTunnelMetrics } from '../../../../src/relay/admin/tunnel-metrics.ts';
import { EventHub } from '../../../../src/admin/event-hub.ts';
import { EventLimits } from '../../../../src/relay/events/event-limits.ts';
import { eventText } from '../../../../src/relay/events/event-text.ts';
import type { RelayEvent } from '../../../../src/relay/events/relay-event.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { SampleRelay, sampleTunnel, tunnelNumber } from '../../../support/samples/sample-relay.ts';

const id = tunnelNumber(0xabc);

function registryOf(source: SampleRelay, maxTunnels = 10): Registry {
  const registry = new Registry();
  addRelayMetrics(registry, source);
  addTunnelMetrics(registry, source, maxTunnels);
  addEngineMetrics(registry, () => source.engine());
  return registry;
}

async function samples(registry: Registry): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the metrics under the names of field relays', () => {
  it('are the 24 families of a field relay, and two more with a manager', async () => {
    const source = new SampleRelay([[id, sampleTunnel(id)]]);
    source.manager = null;
    const families = async (): Promise<string[]> => {
      const registry = new Registry();
      addFieldMetrics(registry, source, 10);
      const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('bilbycast_relay_'));
      return [...new Set(lines.map((line) => /^\w+/.exec(line)?.[0] ?? ''))];
    };
    expect(await families()).toHaveLength(24);
    source.manager = false;
    expect(await families()).toEqual(
      expect.arrayContaining(['bilbycast_relay_manager_connected', 'bilbycast_relay_manager_disconnected_seconds']),
    );
  });

  it('have the values, types and labels that dashboards ask for', async () => {
    const source = new SampleRelay([[id, sampleTunnel(id)]]);
    source.manager = false;
    const registry = new Registry();
    addFieldMetrics(registry, source, 10);
    const { connected_edges: edges, total_bytes_forwarded: bytes } = source.stats();
    const text = await registry.metrics();
    for (const line of [
      '# TYPE bilbycast_relay_tunnels_total gauge',
      '# TYPE bilbycast_relay_bytes_forwarded_total counter',
      `bilbycast_relay_edges_connected ${edges}`,
      `bilbycast_relay_bytes_forwarded_total ${bytes}`,
      `bilbycast_relay_tunnel_bytes_ingress{tunnel_id="${id}",protocol="udp"} ${sampleTunnel(id).stats.bytes_ingress}`,
      'bilbycast_relay_manager_connected 0',
      'bilbycast_relay_manager_disconnected_seconds 7',
    ])
      expect(text.split('\n')).toContain(line);
  });
});

describe('the metrics of a relay', () => {
  it('tell the whole relay', async () => {
    const lines = await samples(registryOf(new SampleRelay()));
    expect(lines).toEqual(
      expect.arrayContaining([
        'adit_relay_edges 2',
        'adit_relay_connections_total 17',
        'adit_relay_received_bytes_total{direction="egress"} 100000',
        'adit_relay_dropped_datagrams_total{reason="queue_full"} 10',
        'adit_relay_healthy 1',
        'adit_relay_ready 1',
        'adit_relay_info{version="0.1.0",engine="quiche"} 1',
        'adit_relay_unbound_sender_total 3',
        'adit_quic_unbound_sender_total 1',
        'adit_relay_tunnels_unlisted 0',
      ]),
    );
  });

  it('T4 have the path of each leg, in base units', async () => {
    const lines = await samples(registryOf(new SampleRelay([[id, { ...sampleTunnel(id), name: 'stadium' }]])));
    const labels = `tunnel_id="${id}",direction="ingress"`;
    expect(lines).toEqual(
      expect.arrayContaining([
        `adit_leg_rtt_seconds{${labels}} 0.0215`,
        `adit_leg_packets_lost_total{${labels}} 7`,
        `adit_leg_congestion_window_bytes{${labels}} 14720`,
        `adit_leg_in_flight_bytes{${labels}} 1200`,
        `adit_leg_queued_datagram_bytes{${labels}} 4128`,
        `adit_leg_path_mtu_bytes{${labels}} 1452`,
        `adit_tunnel_dropped_datagrams_total{${labels},reason="queue_full"} 5`,
        `adit_tunnel_active{tunnel_id="${id}",protocol="udp"} 1`,
        `adit_tunnel_info{tunnel_id="${id}",name="stadium"} 1`,
      ]),
    );
  });

  it('are the same when scraped twice, and forget a tunnel that is gone', async () => {
    const source = new SampleRelay([[id, sampleTunnel(id)]]);
    const registry = registryOf(source);
    const first = await samples(registry);
    expect(await samples(registry)).toEqual(first);
    source.held.clear();
    expect((await samples(registry)).filter((line) => line.includes(id))).toEqual([]);
  });

  it('have no sample for what is not known', async () => {
    const source = new SampleRelay();
    const registry = registryOf(source);
    const names = async () => (await samples(registry)).map((line) => line.split(' ')[0]);
    expect(await names()).not.toContain('adit_relay_manager_connected');
    expect(await names()).not.toContain('adit_quic_native_memory_bytes');
    source.manager = false;
    source.nativeBytes = 4096;
    expect(await samples(registry)).toEqual(
      expect.arrayContaining(['adit_relay_manager_connected 0', 'adit_quic_native_memory_bytes 4096']),
    );
  });

  it('list the busiest tunnels only, and count the others', async () => {
    const busy = { bytes_ingress: 9e9, bytes_egress: 0, tcp_streams_total: 0, tcp_streams_active: 0 };
    const source = new SampleRelay([
      [tunnelNumber(1), sampleTunnel(tunnelNumber(1))],
      [tunnelNumber(2), sampleTunnel(tunnelNumber(2), { stats: { ...busy, udp_datagrams_total: 1, uptime_secs: 1 } })],
      [tunnelNumber(3), sampleTunnel(tunnelNumber(3))],
    ]);
    const lines = await samples(registryOf(source, 1));
    expect(lines).toContain('adit_relay_tunnels_unlisted 2');
    expect(lines.filter((line) => line.startsWith('adit_tunnel_active'))).toEqual([
      `adit_tunnel_active{tunnel_id="${tunnelNumber(2)}",protocol="udp"} 1`,
    ]);
  });

  it('count what a flood of rejections held back', async () => {
    const registry = new Registry();
    const clock = new ManualClock();
    const hub = new EventHub<RelayEvent>(clock, eventText);
    const limits = new EventLimits(clock, hub, {
      maxLimited: 1,
      maxUnauthenticated: 1,
      windowMs: 1000,
      maxSources: 10,
    });
    hub.subscribe(addEventMetrics(registry));
    for (let n = 0; n < 5; n++) {
      limits.emit({ kind: 'edge-connection-failed', remoteAddr: '198.51.100.4:1', reason: 'reset' });
    }
    clock.advance(1000);
    limits.sweep();
    expect(await samples(registry)).toEqual([
      'adit_relay_events_total{kind="edge-connection-failed",severity="warning"} 5',
    ]);
  });

  it('tell the process itself', async () => {
    const registry = new Registry();
    addProcessMetrics(registry, new EventLoopWatch(new ManualClock()));
    const text = (await samples(registry)).join('\n');
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(text).toMatch(/^process_cpu_seconds_total\{mode="user"\} [\d.e-]+$/m);
    expect(text).toContain('nodejs_eventloop_lag_seconds 0');
  });
});
