import { readMemory } from '../procfs.ts';
import { Stage } from '../stage.ts';
import { isTunnelRelay, type Figure } from './figure.ts';

const tunnels = 1000;
const group = 'storm';
const bytesPerMb = 1e6;

const rows = { seconds: 'storm_s 2000 edges', peak: 'storm_peak_rss 2000 edges' } as const;

/**
 * A relay that is killed and started again: how long its edges, which dial again as edges in the field do, need until all are paired.
 * The time begins when the relay listens again; it holds the edges' own pauses (1 s after a loss, keep-alives every 5 s to notice it).
 */
export const storm: Figure = {
  name: 'storm',
  rows: [
    { id: rows.seconds, unit: 's' },
    { id: rows.peak, unit: 'MB' },
  ],
  // Without the keys of the old process the edges would notice after their idle time only, which says nothing about a relay.
  appliesTo: (relay) => isTunnelRelay(relay) && !relay.isReference,
  async *measure(world, relay) {
    await using stage = await Stage.open(world, relay);
    await stage.openTunnels({ group, count: tunnels, protocol: 'udp', keepBound: true });
    if (stage.relay.restart === null) throw new Error(`${relay.name} cannot be started again`);
    await stage.relay.restart();
    const startMs = performance.now();
    await stage.awaitReady(group, 2);
    const seconds = (performance.now() - startMs) / 1000;
    yield { kind: 'value', row: rows.seconds, value: seconds };
    yield { kind: 'value', row: rows.peak, value: readMemory(stage.relay.pid).peakRssBytes / bytesPerMb };
  },
};
