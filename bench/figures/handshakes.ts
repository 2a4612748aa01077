import { bottleneck, cpuMsOf } from '../cpu-meter.ts';
import { Stage } from '../stage.ts';
import { isTunnelRelay, type Figure } from './figure.ts';

const countOfEachEdge = 500;
const concurrency = 8;
const warmUp = 20;

const handshakeRows = { perSecond: 'handshakes_per_s', cpu: 'handshake_cpu_ms' } as const;

/** Connections that come, bind a leg, hear the answer and go. */
export const handshakes: Figure = {
  name: 'handshakes',
  rows: [
    { id: handshakeRows.perSecond, unit: '/s' },
    { id: handshakeRows.cpu, unit: 'ms' },
  ],
  appliesTo: isTunnelRelay,
  async *measure(world, relay) {
    await using stage = await Stage.open(world, relay);
    const run = async (count: number): Promise<number> => {
      const args = { relay: stage.relay.address, count, concurrency };
      const edges = [stage.source, stage.destination];
      const results = await Promise.all(edges.map((edge) => edge.call('handshakes', args)));
      const [failure] = results.flatMap((result) => result.failures);
      if (failure !== undefined) throw new Error(`not every handshake and bind succeeded: ${failure}`);
      return results.reduce((sum, { done }) => sum + done, 0);
    };
    await run(warmUp);
    const meter = stage.meter();
    const done = await run(countOfEachEdge);
    const use = meter.read();
    const perSecond = done / (use.wallMs / 1000);
    yield { kind: 'value', row: handshakeRows.perSecond, value: perSecond, bottleneck: bottleneck(use) };
    yield { kind: 'value', row: handshakeRows.cpu, value: cpuMsOf(use, 'relay') / done };
  },
};
