import type { EngineName } from '../../src/quic/engine-report.ts';
import { fuzz, fuzzKinds } from '../support/hostile/fuzz-campaign.ts';
import { HostileEdge } from '../support/hostile/hostile-edge.ts';
import { knownTunnelId } from '../support/samples/known-tunnel-id.ts';
import { comeAndGo, roomyLimits } from '../support/load/cycles.ts';
import { storm } from '../support/load/storm.ts';
import { underFlood } from '../support/load/under-flood.ts';
import { RelayProcess } from '../support/programs/relay-process.ts';

export interface ChapterOrder {
  readonly engine: EngineName;
  readonly seed: number;
  readonly say: (line: string) => void;
}

const mib = 1_048_576;
const fuzzed = knownTunnelId('6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f');

/** A5: 100 000 garbage packets a second for ten seconds. */
export async function floodChapter({ engine, say }: ChapterOrder): Promise<string[]> {
  const datagramsPerSecond = engine === 'native' ? 5000 : 1000;
  const load = { engine, tunnels: 10, datagramsPerSecond, durationMs: 10_000 };
  const calm = await underFlood({ ...load, garbagePerSecond: 0 });
  const outcome = await underFlood({ ...load, garbagePerSecond: 100_000 });
  say(
    `A5 ${engine}: ${percent(outcome.kept)} of ${outcome.sent} datagrams kept under ${Math.round(outcome.garbagePerSecond)} ` +
      `garbage packets a second (${percent(calm.kept)} without); the relay saw ${outcome.packetsSeen} packets, ` +
      `${outcome.cpuUsPerPacket.toFixed(1)} µs of CPU each; RSS ${toMib(outcome.rssBeforeBytes)} → ${toMib(outcome.rssAfterBytes)} MiB`,
  );
  const grown = outcome.rssAfterBytes - outcome.rssBeforeBytes;
  return [
    ...(outcome.kept < 0.8 * calm.kept ? [`A5: only ${percent(outcome.kept)} kept`] : []),
    ...(grown > 64 * mib ? [`A5: memory grew by ${toMib(grown)} MiB`] : []),
  ];
}

/** A6: 50 000 times connecting, binding and leaving. */
export async function cyclesChapter({ engine, say }: ChapterOrder): Promise<string[]> {
  await using relay = await RelayProcess.start({ engine, config: roomyLimits });
  const { address } = relay;
  const rss: number[] = [];
  for (let part = 0; part < 25; part++) {
    await comeAndGo({ address, cycles: 2000, atOnce: 20, run: (part + 1).toString(16).padStart(8, '0') });
    rss.push((await relay.snapshot()).rssBytes);
  }
  const first = rss[0] ?? 0;
  const last = rss.at(-1) ?? 0;
  say(
    `A6 ${engine}: RSS ${toMib(first)} MiB after 2000 cycles, ${toMib(last)} MiB after 50 000, peak ${toMib(Math.max(...rss))} MiB`,
  );
  return last > 1.2 * first ? [`A6: memory grew from ${toMib(first)} to ${toMib(last)} MiB`] : [];
}

/** A7: a million mutated inputs. */
export async function fuzzChapter({ engine, seed, say }: ChapterOrder): Promise<string[]> {
  await using relay = await RelayProcess.start({ engine, config: roomyLimits });
  const target = { remote: relay.address, tunnelId: fuzzed };
  const perKind = Math.ceil(1_000_000 / fuzzKinds.length);
  let inputs = 0;
  for (const kind of fuzzKinds) {
    const count = await fuzz(kind, perKind, { ...target, seed });
    inputs += count.inputs;
    say(`A7 ${engine} ${kind}: ${count.inputs} inputs over ${count.connections} connections`);
  }
  // It still lets somebody in.
  await (await HostileEdge.connect({ remote: relay.address }))[Symbol.asyncDispose]();
  const last = await relay.snapshot();
  say(`A7 ${engine}: alive after ${inputs} mutated inputs, RSS ${toMib(last.rssBytes)} MiB`);
  return last.unhandledRejections > 0 ? [`A7: ${last.unhandledRejections} unhandled rejections`] : [];
}

/** L6: 2000 edges of a relay that is killed and comes back. */
export async function stormChapter({ engine, say }: ChapterOrder): Promise<string[]> {
  const { edges, pairedAfterMs, peakRssBytes } = await storm(engine, 1000, 180_000);
  say(
    `L6 ${engine}: ${edges} edges paired ${Math.round(pairedAfterMs)} ms after the restart, peak RSS ${toMib(peakRssBytes)} MiB`,
  );
  return pairedAfterMs > 8000 ? [`L6: ${Math.round(pairedAfterMs)} ms until all were paired`] : [];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function toMib(bytes: number): number {
  return Math.round(bytes / mib);
}
