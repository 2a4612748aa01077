import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createAdminApp } from '../../../../src/admin/admin-app.ts';
import { programFactsSchema } from '../../../../src/admin/program-facts.ts';
import { addEdgeMetrics } from '../../../../src/edge/admin/edge-metrics.ts';
import { edgeRoutes } from '../../../../src/edge/admin/edge-routes.ts';
import { healthSchema, tunnelFactsSchema, tunnelSchema } from '../../../../src/edge/admin/edge-schemas.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';
import { SampleEdge, sampleEdgeTunnel } from '../../../support/samples/sample-edge.ts';
import { tunnelNumber } from '../../../support/samples/sample-relay.ts';

const id = tunnelNumber(7);

async function samples(source: SampleEdge): Promise<string[]> {
  const registry = new Registry();
  addEdgeMetrics(registry, source);
  await registry.metrics();
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the REST API of an edge', () => {
  it('answers in its schemas', async () => {
    const source = new SampleEdge([[id, sampleEdgeTunnel(id)]]);
    const app = await createAdminApp(
      { routes: edgeRoutes(source), metrics: async () => '', logger: new RecordingLogger() },
      { title: 'Adit edge', apiToken: null },
    );
    const schemas = {
      '/health': healthSchema.strict(),
      '/ready': z.strictObject({ ready: z.literal(true), reasons: z.array(z.string()) }),
      '/api/v1/why': programFactsSchema.strict(),
      '/api/v1/tunnels': z.array(tunnelSchema.strict()).length(1),
      [`/api/v1/tunnels/${id}/why`]: tunnelFactsSchema.strict(),
    };
    for (const [url, schema] of Object.entries(schemas)) {
      const response = await app.inject({ method: 'GET', url });
      expect({ url, status: response.statusCode }).toEqual({ url, status: 200 });
      expect(schema.safeParse(JSON.parse(response.body)).error).toBeUndefined();
    }
    expect((await app.inject(`/api/v1/tunnels/${tunnelNumber(8)}/why`)).statusCode).toBe(404);
  });
});

describe('the metrics of an edge', () => {
  it('tell each tunnel and each of its relays', async () => {
    const lines = await samples(new SampleEdge([[id, sampleEdgeTunnel(id)]]));
    expect(lines).toEqual(
      expect.arrayContaining([
        'adit_edge_info{version="0.1.0",engine="quiche"} 1',
        'adit_edge_healthy 1',
        `adit_edge_tunnel_state{tunnel_id="${id}",state="ready"} 1`,
        `adit_edge_sent_bytes_total{tunnel_id="${id}"} 1000`,
        `adit_edge_decrypt_errors_total{tunnel_id="${id}"} 2`,
        `adit_edge_tcp_connections_active{tunnel_id="${id}"} 1`,
        `adit_edge_datagrams_total{tunnel_id="${id}",direction="outgoing"} 14`,
        `adit_edge_dropped_datagrams_total{tunnel_id="${id}",direction="outgoing",reason="too_large"} 4`,
        `adit_edge_dropped_datagrams_total{tunnel_id="${id}",direction="incoming",reason="not_authentic"} 2`,
        `adit_edge_relay_active{tunnel_id="${id}",relay="relay-a.example:4433"} 1`,
        `adit_edge_relay_active{tunnel_id="${id}",relay="relay-b.example:4433"} 0`,
        `adit_edge_relay_rtt_seconds{tunnel_id="${id}",relay="relay-a.example:4433"} 0.0215`,
        `adit_edge_relay_packets_lost_total{tunnel_id="${id}",relay="relay-a.example:4433"} 7`,
      ]),
    );
  });

  it('have no sample for a manager that is not configured', async () => {
    const source = new SampleEdge();
    expect((await samples(source)).join('\n')).not.toContain('adit_edge_manager_connected');
    source.manager = true;
    expect(await samples(source)).toContain('adit_edge_manager_connected 1');
  });
});
