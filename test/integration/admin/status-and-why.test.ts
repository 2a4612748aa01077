import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createEdgeAdmin } from '../../../src/edge/admin/edge-admin.ts';
import { EventLoopWatch } from '../../../src/lib/event-loop-watch.ts';
import { formatHostPort, type HostPort } from '../../../src/lib/host-port.ts';
import { createRelayAdmin } from '../../../src/relay/admin/relay-admin.ts';
import type { AdminServer } from '../../../src/admin/admin-server.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';
import { adit, aditOn, watched } from '../../support/programs/typed-command.ts';
import { SampleEdge, sampleEdgeTunnel } from '../../support/samples/sample-edge.ts';
import { SampleRelay, sampleTunnel, tunnelNumber } from '../../support/samples/sample-relay.ts';
import { silentLogger } from '../../support/fakes/silent-logger.ts';

const id = tunnelNumber(1);
const otherId = tunnelNumber(2);
const token = 'x'.repeat(40);
const anyPort: HostPort = { host: '127.0.0.1', port: 0 };
const running: AdminServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

async function start(server: AdminServer): Promise<string> {
  running.push(server);
  await server.start();
  return formatHostPort(server.addresses()[0] ?? anyPort);
}

function startRelay(
  apiToken: string | null = null,
  source = new SampleRelay([[id, sampleTunnel(id)]]),
): Promise<string> {
  const loop = new EventLoopWatch(new ManualClock());
  const settings = { addresses: [anyPort], apiToken, fieldMetrics: false, maxTunnelsInMetrics: 10 };
  return start(
    createRelayAdmin(
      { clock: new ManualClock(), source, loop, logger: silentLogger, droppedLogLines: () => 0 },
      settings,
    ).server,
  );
}

function startEdge(reasons: readonly string[] = []): Promise<string> {
  const source = new SampleEdge([[id, sampleEdgeTunnel(id)]]);
  source.reasons = reasons;
  const loop = new EventLoopWatch(new ManualClock());
  return start(
    createEdgeAdmin(
      { clock: new ManualClock(), source, loop, logger: silentLogger, droppedLogLines: () => 0 },
      { address: anyPort, apiToken: null },
    ),
  );
}

describe('adit status', () => {
  it('shows a relay: a summary and a line for each leg', async () => {
    const address = await startRelay();
    const lines = (await adit('status', '--url', `http://${address}/`)).split('\n');
    expect(lines[0]).toBe(
      `relay 0.1.0 at http://${address}, ok, ready, up 1 hour, 2 edges, 1 of 1 tunnels active, 1.0 Mbit/s`,
    );
    expect(lines[1]).toMatch(/^TUNNEL +PROTOCOL +STATE +LEG +EDGE +ADDRESS +RTT +LOSS +QUEUE +MTU +SENT +DROPPED$/);
    expect(lines[2]).toMatch(
      /^[0-9a-f-]{36} +udp +active for .* +ingress +camera +198.51.100.4:40000 +22 ms +0.7 % +4.1 kB +1452 +100.0 kB +queue_full 5$/,
    );
    expect(lines[3]).toMatch(/^ +egress +studio/);
  });

  it('lists what a relay has refused, also tunnels that it does not know, and why does so, too', async () => {
    const source = new SampleRelay();
    const tried = { at: '2026-04-02T12:00:00.000Z', direction: 'egress', reason: 'tunnel not authorised' } as const;
    const [unknown, named] = [tunnelNumber(7), tunnelNumber(8)];
    source.refused = [
      { ...tried, edge_id: 'van', remote_addr: '198.51.100.7:5000', tunnel_id: unknown, name: null },
      { ...tried, edge_id: null, remote_addr: '198.51.100.8:5000', tunnel_id: named, name: 'stadium' },
    ];
    const url = `http://${await startRelay(null, source)}`;
    const status = await adit('status', '--url', url);
    expect(status).toContain('no edge has bound a tunnel\n');
    expect(status).toMatch(
      new RegExp(
        `refused: ${unknown} to the egress edge \\(van, 198.51.100.7:5000\\): tunnel not authorised, .* ago\n`,
      ),
    );
    expect(status).toContain(`refused: ${named} (stadium) to the egress edge (198.51.100.8:5000): `);
    const why = await adit('why', '--seconds', '0', '--url', url);
    expect(why).toContain(`tunnel ${unknown}\n`);
    expect(why).toContain(`tunnel ${named} (stadium)\n`);
  });

  it('shows an edge: which relay it uses', async () => {
    const address = await startEdge();
    const text = await adit('status', '--url', `http://${address}`);
    expect(text).toContain(`edge 0.1.0 at http://${address}, ok, up 1 minute, 1 of 1 tunnels active`);
    expect(text).toMatch(/camera 1 +udp +egress +127.0.0.1:5000 +ready .* relay-a.example:4433 +in use +22 ms/);
    expect(text).toMatch(/relay-b.example:4433 +connecting +-/);
    const degraded = await startEdge(["tunnel 'camera 2' is down"]);
    expect(await adit('status', '--url', `http://${degraded}`)).toMatch(
      /^edge 0.1.0 at .*, degraded: tunnel 'camera 2' is down, up 1 minute/,
    );
  });

  it('lets no edge steer the terminal by the name it gives itself', async () => {
    const sample = sampleTunnel(id);
    const { leg } = sample.ingress;
    if (leg === null) throw new Error('the sample has no ingress leg');
    const path = { ...leg.path, packets_sent: 1000, packets_lost: 500 };
    const hostile = { ...leg, path, edge_id: '\x1b]0;owned\x07\u202Ecamera' };
    const source = new SampleRelay([[id, { ...sample, ingress: { ...sample.ingress, leg: hostile } }]]);
    const url = `http://${await startRelay(null, source)}`;
    for (const args of [
      ['status', '--url', url],
      ['why', id, '--seconds', '0', '--url', url],
    ]) {
      const text = await adit(...args);
      expect(text).toContain('\uFFFD]0;owned\uFFFD\uFFFDcamera');
      expect(text).not.toMatch(/[^\P{C}\n]/u);
    }
  });

  it('prints JSON for programs', async () => {
    const address = await startRelay();
    expect(JSON.parse(await adit('status', '--json', '--url', `http://${address}`))).toMatchObject({
      program: 'relay',
      health: { status: 'ok' },
      tunnels: [{ tunnel_id: id }],
    });
  });

  it('fits the terminal: shorter ids first, then without what matters least', async () => {
    const url = `http://${await startRelay()}`;
    const narrow = await aditOn({ width: () => 80 }, 'status', '--url', url);
    const [, head = '', ...rows] = narrow.split('\n');
    expect(head).toMatch(/^TUNNEL +STATE +LEG +EDGE +RTT +LOSS +DROPPED$/);
    expect(rows[0]).toMatch(/^00000000 +active for .* +ingress +camera +22 ms +0.7 % +queue_full 5$/);
    expect(Math.max(...[head, ...rows].map(({ length }) => length))).toBeLessThanOrEqual(80);
    const edge = await aditOn({ width: () => 100 }, 'status', '--url', `http://${await startEdge()}`);
    expect(
      Math.max(
        ...edge
          .split('\n')
          .slice(1)
          .map(({ length }) => length),
      ),
    ).toBeLessThanOrEqual(100);
  });

  it('watches on a cleared screen, and line by line where programs read', async () => {
    const url = `http://${await startRelay()}`;
    const cleared = '\x1b[H\x1b[2Jrelay 0';
    for (const text of await watched({ width: () => 200 }, '--url', url)) expect(text.startsWith(cleared)).toBe(true);
    for (const text of await watched({}, '--url', url)) expect(text).toMatch(/^relay 0/);
    const lines = await watched({ width: () => 200 }, '--json', '--url', url);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ program: 'relay' }, {}, {}]);
    await running.splice(0)[0]?.stop();
    const [none = ''] = await watched({}, '--json', '--url', url);
    expect(JSON.parse(none)).toEqual({ error: expect.stringContaining(`nothing answers at ${url}`) as string });
  });

  it('takes address and token from the config file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'adit-status-'));
    try {
      const path = join(folder, 'config.json');
      const address = await startRelay(token);
      await writeFile(path, JSON.stringify({ api_addrs: [address], api_token: token }));
      expect(await adit('status', '-c', path)).toContain('relay 0.1.0');
      await writeFile(path, '{"api_addrs": 5}');
      await expect(adit('status', '-c', path)).rejects.toMatchObject({ code: 'config-invalid' });
      await expect(adit('status', '-c', join(folder, 'none.json'))).rejects.toMatchObject({ code: 'config-invalid' });
      await writeFile(path, JSON.stringify({ edge_id: 'studio', api_addr: null }));
      await expect(adit('status', '-c', path)).rejects.toMatchObject({
        code: 'config-invalid',
        message: expect.stringContaining('has no api_addr, so its edge answers nothing') as string,
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each(['127.0.0.1:4480', 'relay', 'ftp://relay.example'])('says what an address must be: %s', async (url) => {
    await expect(adit('status', '--url', url)).rejects.toMatchObject({
      code: 'config-invalid',
      message: `--url ${url}: must be an address such as http://127.0.0.1:4480`,
    });
  });

  it('reports what is wrong when the token is, or when nothing answers', async () => {
    const address = await startRelay(token);
    await expect(adit('status', '--url', `http://${address}`)).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('ADIT_API_TOKEN') as string,
    });
    await expect(adit('status', '--url', `http://${address}`, '--token', 'another')).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('does not take the token that it got (--token, else') as string,
    });
    await running.splice(0)[0]?.stop();
    await expect(adit('status', '--url', `http://${address}`)).rejects.toMatchObject({
      code: 'connect-failed',
      message: `nothing answers at http://${address} (is it running, and is that its api_addr?)`,
    });
  });
});

describe('adit why', () => {
  it('asks a relay twice and reports what it found', async () => {
    const address = await startRelay();
    const text = await adit('why', id, '--seconds', '0', '--url', `http://${address}`);
    expect(text).toContain('✓ Both legs are there');
    expect(text).toContain('  → look at what feeds the edges, or run adit why there');
  });

  it('asks an edge, and prints JSON for programs', async () => {
    const address = await startEdge();
    const answers: unknown = JSON.parse(
      await adit('why', id, '--seconds', '0', '--json', '--url', `http://${address}`),
    );
    const findings = expect.arrayContaining([
      { level: 'good', text: 'The tunnel is up through relay-a.example:4433.', remedy: null },
    ]) as unknown;
    expect(answers).toEqual([{ tunnel_id: id, name: 'camera 1', findings }]);
  });

  it('takes the name of a tunnel, or none for all tunnels, those with problems first', async () => {
    const url = `http://${await startEdge()}`;
    const byName = await adit('why', 'camera 1', '--seconds', '0', '--url', url);
    expect(await adit('why', id.slice(0, 8), '--seconds', '0', '--url', url)).toBe(byName);
    expect(byName).toContain(`tunnel ${id} (camera 1)\n`);
    expect(await adit('why', '--seconds', '0', '--url', url)).toBe(byName);
    await expect(adit('why', 'camera 2', '--url', url)).rejects.toThrow(`no tunnel at ${url} is called camera 2`);
    const healthy = sampleTunnel(id, { ingress: sampleTunnel(id).egress });
    const waiting = sampleTunnel(otherId, { status: 'waiting_egress' });
    const relay = `http://${await startRelay(
      null,
      new SampleRelay([
        [id, healthy],
        [otherId, waiting],
      ]),
    )}`;
    const all = await adit('why', '--seconds', '0', '--url', relay);
    expect(all.indexOf(`tunnel ${otherId}\n`)).toBe(0);
    expect(all.indexOf(`tunnel ${id}\n`)).toBeGreaterThan(0);
  });

  it('ends with status 3 when it found a problem, so that a script can act', async () => {
    const statuses: number[] = [];
    const terminal = { exitWith: (status: number): void => void statuses.push(status) };
    const ask = async (tunnel: ReturnType<typeof sampleTunnel>): Promise<string> => {
      const address = await startRelay(null, new SampleRelay([[id, tunnel]]));
      return aditOn(terminal, 'why', '--seconds', '0', '--url', `http://${address}`);
    };
    expect(await ask(sampleTunnel(id, { ingress: sampleTunnel(id).egress }))).not.toContain('✗');
    expect(statuses).toEqual([]);
    expect(await ask(sampleTunnel(id, { status: 'waiting_egress' }))).toContain('✗');
    expect(statuses).toEqual([3]);
  });

  it('knows the tunnels of the config that it is given, also those that nobody holds', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'adit-why-'));
    try {
      const address = await startRelay(null, new SampleRelay());
      await expect(adit('why', '--url', `http://${address}`)).rejects.toThrow('no tunnel is in use');
      const path = join(folder, 'relay.json');
      await writeFile(path, JSON.stringify({ api_addrs: [address], tunnels: [{ id, bind_secret: 'x' }] }));
      expect(await adit('why', '--seconds', '0', '-c', path)).toContain(`tunnel ${id}\n✗ No edge holds a leg of it.`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('knows tunnels that a relay would let in, by name, those of a manager when there is nothing else', async () => {
    const source = new SampleRelay();
    source.authorizedTunnels = [
      { tunnel_id: id, name: 'camera 1', source: 'manager' },
      { tunnel_id: otherId, name: 'camera 2', source: 'manager' },
    ];
    const url = `http://${await startRelay(null, source)}`;
    const byName = await adit('why', 'camera 2', '--seconds', '0', '--url', url);
    expect(byName).toContain(`tunnel ${otherId} (camera 2)\n✗ No edge holds a leg of it.`);
    const all = await adit('why', '--seconds', '0', '--url', url);
    expect([all.includes('(camera 1)'), all.includes('(camera 2)')]).toEqual([true, true]);
    source.authorizedTunnels = [
      { tunnel_id: id, name: 'camera 1', source: 'manager' },
      { tunnel_id: otherId, name: 'camera 2', source: 'config' },
    ];
    expect(await adit('why', '--seconds', '0', '--url', url)).toBe(byName);
  });

  it('reports that an edge does not have the tunnel', async () => {
    const address = await startEdge();
    await expect(adit('why', tunnelNumber(9), '--seconds', '0', '--url', `http://${address}`)).rejects.toMatchObject({
      message: expect.stringContaining(`has no tunnel ${tunnelNumber(9)}`) as string,
    });
  });
});

describe('adit unrevoke', () => {
  it('lifts a revocation once, and reports it when there is none', async () => {
    const source = new SampleRelay([]);
    source.revoked.add(id);
    const url = `http://${await startRelay(token, source)}`;
    expect(await adit('unrevoke', id, '--url', url, '--token', token)).toBe(`${id} is no longer revoked\n`);
    expect(source.revoked.size).toBe(0);
    await expect(adit('unrevoke', id, '--url', url, '--token', token)).rejects.toThrow(`tunnel ${id} is not revoked`);
  });

  it('reports what is missing where the relay has no api_token', async () => {
    const url = `http://${await startRelay()}`;
    await expect(adit('unrevoke', id, '--url', url)).rejects.toThrow('changes nothing by REST until api_token is set');
  });
});
