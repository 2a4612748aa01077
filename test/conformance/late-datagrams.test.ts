import type { EngineName } from '../../src/quic/engine-report.ts';
import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import { builtEngines } from '../support/programs/engines.ts';
import { LocalUdpSocket } from '../support/peers/local-udp.ts';
import { openEngine } from '../support/programs/open-engine.ts';
import { pause } from '../support/pause.ts';
import { RelayProcess } from '../support/programs/relay-process.ts';
import { startTestEdge } from '../support/programs/test-edge.ts';
import { until } from '../support/until.ts';

const clock = new SystemClock();
const stoodStillMs = 3000;
/** 100 ms in the relay; the rest is the way there and back on a busy machine. */
const oldestMs = 1000;

/** A relay is stopped for three seconds, in which datagrams come; `before` of them have come already. */
async function standStill(engineName: EngineName, before: number): Promise<void> {
  await using relay = await RelayProcess.start({ engine: engineName, config: { require_bind_auth: false } });
  await using engine = await openEngine(engineName);
  await using sink = await LocalUdpSocket.open();
  await using source = await LocalUdpSocket.open();
  const common = { protocol: 'udp', relay_addr: `${relay.address.ip}:${relay.address.port}` } as const;
  await using egress = await startTestEdge({ engine, tunnels: [{ ...common, direction: 'egress' }] });
  await using ingress = await startTestEdge({
    engine,
    tunnels: [{ ...common, direction: 'ingress', local_addr: sink.addr }],
  });
  await egress.reaches('ready');
  await ingress.reaches('ready');
  const sentAtMs: number[] = [];
  const send = (): void => {
    const payload = Buffer.alloc(1332);
    payload.writeUInt32BE(sentAtMs.length);
    sentAtMs.push(clock.monotonicMs());
    source.send(payload, egress.port());
  };
  for (let n = 0; n < before; n++) {
    send();
    await pause(10);
  }
  const still = relay.standStill(stoodStillMs);
  for (let n = 0; n < 300; n++) {
    send();
    await pause(10);
  }
  await still;
  await until(
    async () => {
      send();
      return sink.receivedAtMs.length > before + 20;
    },
    { pollMs: 10 },
  );
  const ages = sink.received.map(
    (payload, at) => (sink.receivedAtMs[at] ?? NaN) - (sentAtMs[payload.readUInt32BE()] ?? NaN),
  );
  expect(ages.filter((age) => age >= oldestMs)).toEqual([]);
  const drops = (await relay.snapshot()).tunnels[0]?.egress.sent.drops;
  expect((drops?.expired ?? 0) + (egress.tunnel().drops['expired'] ?? 0)).toBeGreaterThan(100);
}

describe.each(await builtEngines())('a relay over %s', (engineName) => {
  it('M2 that stood still passes on nothing that waited for it, and counts it as expired', () =>
    standStill(engineName, 0));

  it('M2 that stood still in mid-stream passes on nothing that waited for it', () => standStill(engineName, 50));
});
