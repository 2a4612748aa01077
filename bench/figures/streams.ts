import { bottleneck, cpuMsOf } from '../cpu-meter.ts';
import { Stage } from '../stage.ts';
import { isTunnelRelay, type Figure, type Measurement } from './figure.ts';

const streamCounts = [1, 64] as const;
const seconds = 3;
const group = 'tcp';
const bytesPerGb = 1e9;
const bytesPerMb = 1e6;

/** Bulk transfers through one tunnel, each stream checked by its hash. */
export const streams: Figure = {
  name: 'streams',
  rows: streamCounts.flatMap((count) => [
    { id: cpuRow(count), unit: 's/GB' },
    { id: rateRow(count), unit: 'MB/s' },
  ]),
  appliesTo: isTunnelRelay,
  async *measure(world, relay) {
    await using stage = await Stage.open(world, relay);
    await stage.openTunnels({ group, count: 1, protocol: 'tcp' });
    for (const count of streamCounts) yield* await transfer(stage, count);
  },
};

function cpuRow(count: number): string {
  return `tcp_cpu_s_per_gb ${count} stream${count === 1 ? '' : 's'}`;
}

function rateRow(count: number): string {
  return `tcp_mb_s ${count} stream${count === 1 ? '' : 's'}`;
}

async function transfer(stage: Stage, count: number): Promise<readonly Measurement[]> {
  const meter = stage.meter();
  const sunk = stage.destination.call('sink', { group, streams: count });
  const [pushed, arrived] = await Promise.all([stage.source.call('push', { group, streams: count, seconds }), sunk]);
  const use = meter.read();
  const wrong = pushed.digests.findIndex((digest, number) => digest !== arrived.digests[number]);
  if (wrong !== -1)
    throw new Error(`of ${count} streams number ${wrong} arrived with another hash than it was sent with`);
  const { bytes } = arrived;
  const cpuSeconds = cpuMsOf(use, 'relay') / 1000;
  const mbPerSecond = bytes / bytesPerMb / (use.wallMs / 1000);
  return [
    { kind: 'value', row: cpuRow(count), value: cpuSeconds / (bytes / bytesPerGb) },
    { kind: 'value', row: rateRow(count), value: mbPerSecond, bottleneck: bottleneck(use) },
  ];
}
