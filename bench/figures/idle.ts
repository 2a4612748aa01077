import { cpuMsOf } from '../cpu-meter.ts';
import { readMemory } from '../procfs.ts';
import { Stage } from '../stage.ts';
import { isTunnelRelay, type Figure, type Measurement } from './figure.ts';

const tunnelCounts = [1000, 5000] as const;
const group = 'idle';
/** For what setting up left behind: acknowledgements, path MTU probes, garbage. */
const settleMs = 4000;
/** One round of keep-alives. */
const watchMs = 5000;
const legsPerTunnel = 2;
const bytesPerKb = 1000;

const cpuRow = 'cpu_us_per_s_per_idle_leg 5000 tunnels';

/** What a tunnel costs that carries nothing: memory, and the CPU of its keep-alives. */
export const idle: Figure = {
  name: 'idle',
  rows: [...tunnelCounts.map((count) => ({ id: rssRow(count), unit: 'KB' })), { id: cpuRow, unit: 'µs/s' }],
  appliesTo: isTunnelRelay,
  async *measure(world, relay) {
    await using stage = await Stage.open(world, relay);
    const empty = readMemory(stage.relay.pid).rssBytes;
    let open = 0;
    for (const count of tunnelCounts) {
      await stage.openTunnels({ group, count: count - open, protocol: 'udp', keepBound: true });
      open = count;
      await pause(settleMs);
      const grown = readMemory(stage.relay.pid).rssBytes - empty;
      yield { kind: 'value', row: rssRow(count), value: grown / bytesPerKb / (count * legsPerTunnel) };
    }
    yield await watch(stage, open);
  },
};

function rssRow(tunnels: number): string {
  return `rss_per_idle_leg ${tunnels} tunnels`;
}

async function watch(stage: Stage, tunnels: number): Promise<Measurement> {
  const meter = stage.meter();
  await pause(watchMs);
  const use = meter.read();
  const ready = await stage.destination.call('countReady', { group });
  if (ready < tunnels) {
    return { kind: 'failed', row: cpuRow, reason: `only ${ready} of ${tunnels} tunnels stayed up` };
  }
  const usPerSecond = (cpuMsOf(use, 'relay') * 1000) / (use.wallMs / 1000);
  return { kind: 'value', row: cpuRow, value: usPerSecond / (tunnels * legsPerTunnel) };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
