import { SystemClock } from '../../../src/lib/clock.ts';
import { SeededRandom } from '../../support/fakes/seeded-random.ts';
import { pause } from '../../support/pause.ts';
import { EdgeProcess } from '../../support/programs/edge-process.ts';
import { MemoryWatch } from '../memory-watch.ts';
import { table } from '../table.ts';
import { connectionsOf, eventFaults } from './event-check.ts';
import type { MediaLane } from './media-lane.ts';
import { createLegsLane, createThroughLane, createViewersLane } from './srt-lanes.ts';
import { createWebLane } from './web-lane.ts';

export interface MediaSoakOrder {
  readonly minutes: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

const clock = new SystemClock();
const checkMs = 250;
const sampleMs = 2000;

/** Four flows of one edge, whose peers end and come back at random. Returns what was wrong. */
export async function mediaSoak({ minutes, seed, say }: MediaSoakOrder): Promise<string[]> {
  await using lanes = new AsyncDisposableStack();
  const all = [await createThroughLane(), await createViewersLane(), await createLegsLane(), await createWebLane()];
  for (const lane of all) lanes.use(lane);
  await using edge = await EdgeProcess.start({
    flows: all.map(({ id, flow }) => ({ id, name: id, ...flow })),
  });
  for (const { id } of all) await edge.running(id);
  await Promise.all(all.map((lane) => lane.start()));
  const memory = new MemoryWatch(minutes * 60_000);
  const startMs = clock.monotonicMs();
  const endMs = startMs + minutes * 60_000;
  const isOver = (): boolean => clock.monotonicMs() >= endMs;
  await Promise.all([
    ...all.map((lane, index) => restartAtRandom(lane, new SeededRandom(seed * 100 + index), isOver)),
    every(checkMs, isOver, () => all.forEach((lane) => lane.check())),
    every(sampleMs, isOver, () => {
      const atMs = clock.monotonicMs() - startMs;
      memory.add(atMs, { rssBytes: edge.rssBytes, heapBytes: 0, externalBytes: 0, connections: 0 });
    }),
  ]);
  return await conclude(all, edge, memory, say);
}

async function conclude(
  lanes: readonly MediaLane[],
  edge: EdgeProcess,
  memory: MemoryWatch,
  say: (line: string) => void,
): Promise<string[]> {
  // The last statistics of the worker are up to a second old.
  await pause(3000);
  const faults = memory.faults();
  const rows = [['flow', 'programs started', 'connections', 'what came out']];
  const events = edge.manager.distinctEvents;
  for (const lane of lanes) {
    lane.check();
    faults.push(...lane.faults(await edge.running(lane.id)), ...eventFaults(events, lane.id, lane.places));
    const connections = connectionsOf(events, lane.id);
    rows.push([lane.id, `${lane.starts}`, `${connections}`, lane.describe()]);
  }
  say(table(rows));
  say(`memory of the edge: ${memory.describe()}`);
  return faults;
}

async function restartAtRandom(lane: MediaLane, random: SeededRandom, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await pause(5000 + random.float() * 20_000);
    if (!isOver()) await lane.restart(random);
  }
}

async function every(ms: number, isOver: () => boolean, act: () => void): Promise<void> {
  while (!isOver()) {
    act();
    await pause(ms);
  }
}
