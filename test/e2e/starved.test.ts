import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { ChildProgram } from '../../src/cli/demo/child-program.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { LocalUdpSocket } from '../support/peers/local-udp.ts';
import { runAdit } from '../support/programs/adit-command.ts';
import { builtEngines } from '../support/programs/engines.ts';
import { openEngine } from '../support/programs/open-engine.ts';
import { startTestEdge } from '../support/programs/test-edge.ts';
import { bindVector, vectorTunnel } from '../support/samples/vectors.ts';
import { pause } from '../support/pause.ts';

const clock = new SystemClock();
/** A fifth of a core: it runs for 300 ms of each 1.5 s. */
const runsMs = 300;
const standsMs = 1200;
const turns = 4;
/** 100 ms in the relay; the rest is the way there and back on a busy machine. What waits for the relay is older. */
const oldestMs = 1000;

describe.each(await builtEngines())('a relay that is starved to a fifth of a core, over %s', (engineName) => {
  it('passes on nothing that waited for it, and reports that its machine is at fault', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'adit-starved-'));
    await using world = new AsyncDisposableStack();
    world.defer(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'relay.json');
    const config = {
      ...{ quic_addrs: ['127.0.0.1:0'], api_addrs: ['127.0.0.1:0'], quic: { engine: engineName } },
      tunnels: [{ id: vectorTunnel.id, bind_secret: bindVector.secret }],
    };
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    const relay = world.use(new ChildProgram('relay', ['relay', '-c', path], clock));
    const started = await relay.line('relay started');
    const [address] = started['quic_addrs'] as [string];
    const [api] = started['api_addrs'] as [string];
    const engine = world.use(await openEngine(engineName));
    const sink = world.use(await LocalUdpSocket.open());
    const source = world.use(await LocalUdpSocket.open());
    const common = { protocol: 'udp', relay_addr: address } as const;
    const egress = world.use(await startTestEdge({ engine, tunnels: [{ ...common, direction: 'egress' }] }));
    const ends = [{ ...common, direction: 'ingress', local_addr: sink.addr } as const];
    const ingress = world.use(await startTestEdge({ engine, tunnels: ends }));
    await egress.reaches('ready');
    await ingress.reaches('ready');

    const sentAtMs: number[] = [];
    const sendFor = async (durationMs: number): Promise<void> => {
      const endMs = clock.monotonicMs() + durationMs;
      while (clock.monotonicMs() < endMs) {
        const payload = Buffer.alloc(1332);
        payload.writeUInt32BE(sentAtMs.length);
        sentAtMs.push(clock.monotonicMs());
        source.send(payload, egress.port());
        await pause(5);
      }
    };
    const signal = (name: NodeJS.Signals): void => void process.kill(relay.pid ?? NaN, name);
    for (let turn = 0; turn < turns; turn++) {
      signal('SIGSTOP');
      await sendFor(standsMs);
      signal('SIGCONT');
      await sendFor(runsMs);
    }
    const why = await runAdit(['why', vectorTunnel.id, '--seconds', '0.5', '--url', `http://${api}`]);

    const ages = sink.received.map((payload, at) => {
      return (sink.receivedAtMs[at] ?? NaN) - (sentAtMs[payload.readUInt32BE()] ?? NaN);
    });
    expect(ages.length).toBeGreaterThan(0);
    expect(ages.filter((age) => age >= oldestMs)).toEqual([]);
    expect(why.out).toMatch(/^✗ This machine does not keep up: .*\n {2}→ free CPU here/m);
  });
});
