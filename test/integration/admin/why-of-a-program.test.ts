import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { AdminServer } from '../../../src/admin/admin-server.ts';
import { ApiClient } from '../../../src/cli/api-client.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { createEdgeAdmin } from '../../../src/edge/admin/edge-admin.ts';
import { EventLoopWatch } from '../../../src/lib/event-loop-watch.ts';
import { formatHostPort, type HostPort } from '../../../src/lib/host-port.ts';
import { createRelayAdmin } from '../../../src/relay/admin/relay-admin.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';
import { silentLogger } from '../../support/fakes/silent-logger.ts';
import { SampleEdge } from '../../support/samples/sample-edge.ts';
import { SampleRelay, sampleTunnel, tunnelNumber } from '../../support/samples/sample-relay.ts';

const id = tunnelNumber(1);
const anyPort: HostPort = { host: '127.0.0.1', port: 0 };
const running: AdminServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

function parts(): { clock: ManualClock; loop: EventLoopWatch; logger: typeof silentLogger; droppedLogLines(): number } {
  const clock = new ManualClock();
  return { clock, loop: new EventLoopWatch(clock), logger: silentLogger, droppedLogLines: () => 0 };
}

async function urlOf(server: AdminServer): Promise<string> {
  running.push(server);
  await server.start();
  return `http://${formatHostPort(server.addresses()[0] ?? anyPort)}`;
}

function relayAt(source: SampleRelay): Promise<string> {
  const settings = { addresses: [anyPort], apiToken: null, fieldMetrics: false, maxTunnelsInMetrics: 10 };
  return urlOf(createRelayAdmin({ ...parts(), source }, settings).server);
}

function edgeAt(source: SampleEdge): Promise<string> {
  return urlOf(createEdgeAdmin({ ...parts(), source }, { address: anyPort, apiToken: null }));
}

async function why(
  url: string,
  ...args: readonly string[]
): Promise<{ readonly text: string; readonly status: number }> {
  const printed: string[] = [];
  let status = 0;
  const line = ['why', ...args, '--seconds', '0', '--url', url];
  const terminal = {
    out: (text: string): void => void printed.push(text),
    exitWith: (code: number) => (status = code),
  };
  const program = await createProgram(terminal, line);
  await program.parseAsync(['node', 'adit', ...line]);
  return { text: printed.join(''), status };
}

describe('adit why of the program itself', () => {
  it('comes before its tunnels', async () => {
    const relay = new SampleRelay([[id, sampleTunnel(id)]]);
    relay.program = { ...relay.program, faults: ['events cannot be written to disk: ENOSPC: no space left on device'] };
    const { text, status } = await why(await relayAt(relay), id);
    expect(text).toMatch(/^the relay itself\n✗ Events cannot be written .*\n {2}→ free space .*\n\ntunnel /);
    expect(status).toBe(3);
  });

  it('is given also where there is no tunnel, and as JSON', async () => {
    const edge = new SampleEdge();
    const manager = { connected: false, url: 'wss://manager.example', down_secs: 5, refused: true, last_problem: 'no' };
    edge.program = { ...edge.program, manager };
    const url = await edgeAt(edge);
    const { text, status } = await why(url);
    expect(text).toMatch(
      /^the edge itself\n✗ The manager at wss:\/\/manager\.example refuses this node: no\.\n {2}→ register it anew: .*\n$/,
    );
    expect(status).toBe(3);
    const answers: unknown = JSON.parse((await why(url, '--json')).text);
    expect(answers).toMatchObject([{ program: 'edge', findings: [{ level: 'problem' }] }]);
  });

  it('tells a program that stands still from one that is not there', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    try {
      const asked = new ApiClient(`http://127.0.0.1:${port}`, null, null, 50).get('/health', z.unknown());
      await expect(asked).rejects.toThrow(/^no answer from .* within 0\.05 s: the program there stands still/);
    } finally {
      server.close();
    }
  });
});
