import { connect, type Server } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { EventLoopWatch } from '../../../src/lib/event-loop-watch.ts';
import { formatHostPort, type HostPort } from '../../../src/lib/host-port.ts';
import { nodeHttp } from '../../../src/lib/node-http.ts';
import { MetricsServer } from '../../../src/observer/outputs/metrics-server.ts';
import { createRelayAdmin } from '../../../src/relay/admin/relay-admin.ts';
import { until } from '../../support/until.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { SampleRelay, sampleTunnel, tunnelNumber } from '../../support/samples/sample-relay.ts';

const id = tunnelNumber(1);
const anyPort: HostPort = { host: '127.0.0.1', port: 0 };

async function startAdmin(addresses: readonly HostPort[]) {
  const source = new SampleRelay([[id, sampleTunnel(id)]]);
  const logger = new RecordingLogger();
  const clock = new ManualClock();
  const loop = new EventLoopWatch(clock);
  const { server } = createRelayAdmin(
    { clock, source, logger, loop, droppedLogLines: () => 0 },
    { addresses, apiToken: null, fieldMetrics: false, maxTunnelsInMetrics: 10 },
  );
  await server.start();
  return {
    server,
    clock,
    logger,
    url: (index = 0) => `http://${formatHostPort(server.addresses()[index] ?? anyPort)}`,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

describe('the admin server', () => {
  it('serves every address that it was given', async () => {
    await using admin = await startAdmin([anyPort, { host: '::1', port: 0 }]);
    expect(admin.server.addresses()).toHaveLength(2);
    for (const index of [0, 1]) {
      const response = await fetch(`${admin.url(index)}/health`);
      expect([response.status, await response.json()]).toMatchObject([200, { status: 'ok' }]);
    }
    expect(await (await fetch(`${admin.url()}/metrics`)).text()).toContain('adit_relay_edges 2');
  });

  it('goes on when the system refuses to hand connections over, time and again', async () => {
    const servers: Server[] = [];
    const { createServer } = nodeHttp;
    using _watched = vi.spyOn(nodeHttp, 'createServer').mockImplementation((...given: []) => {
      const server = createServer(...given);
      servers.push(server);
      return server;
    });
    await using admin = await startAdmin([anyPort]);
    const metrics = new MetricsServer(
      { clock: admin.clock, text: () => 'metric 1\n' },
      { address: '127.0.0.1:0', token: 'ab'.repeat(32), ratePerSecond: 5, burst: 10 },
    );
    await metrics.start();
    // As net.Server raises it (onconnection in lib/net.js).
    const refusal = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
    const listening = servers.filter((server) => server.listening);
    for (const server of listening) for (let times = 0; times < 3; times += 1) server.emit('error', refusal);
    expect(listening).toHaveLength(2);
    expect((await fetch(`${admin.url()}/health`)).status).toBe(200);
    await metrics.stop();
  });

  it('L2 goes on with a warning when one address of several is taken', async () => {
    await using first = await startAdmin([anyPort]);
    const taken = first.server.addresses()[0] ?? anyPort;
    await using second = await startAdmin([taken, anyPort]);
    expect(second.server.addresses()).toHaveLength(1);
    expect(second.logger.messages('warn')).toEqual(['an API address could not be used']);
  });

  it('L2 starts without an address when its only one is taken, reports it, and takes it once it is free', async () => {
    const first = await startAdmin([anyPort]);
    const taken = first.server.addresses()[0] ?? anyPort;
    await using second = await startAdmin([taken]);
    const { server, clock, logger } = second;
    expect(server.addresses()).toEqual([]);
    expect(server.problems()).toEqual([
      expect.stringContaining(`the REST API cannot listen on 127.0.0.1:${taken.port}: another program has it`),
    ]);
    expect(logger.lines[0]?.fields).toMatchObject({ error: expect.stringContaining('ss -lntup') as string });
    clock.advance(5_000);
    await first.server.stop();
    await until(
      () => {
        clock.advance(5_000);
        return server.addresses().length === 1;
      },
      { what: 'the address of the one that stopped' },
    );
    expect(server.problems()).toEqual([]);
    expect((await fetch(`${second.url()}/health`)).status).toBe(200);
    expect(logger.messages('warn')).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('L4 stops twice as once, also with a client that keeps its connection', async () => {
    await using admin = await startAdmin([anyPort]);
    const { host, port } = admin.server.addresses()[0] ?? anyPort;
    const socket = connect({ host, port });
    await once(socket, 'connect');
    socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    await Promise.all([admin.server.stop(), admin.server.stop()]);
    await closed;
    expect(admin.server.addresses()).toEqual([]);
  });
});
