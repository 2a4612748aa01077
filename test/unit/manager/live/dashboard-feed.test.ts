import { expect, test } from 'vitest';
import type { Fleet, FleetListener } from '../../../../src/manager/fleet.ts';
import { DashboardFeed } from '../../../../src/manager/live/dashboard-feed.ts';
import type { FlapCounter } from '../../../../src/manager/live/flap-counter.ts';
import type { FleetMirror } from '../../../../src/manager/live/fleet-mirror.ts';
import { sampleFleet } from '../../../support/manager/sample-fleet.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

interface Message {
  readonly type: string;
  readonly topic: string;
  readonly items: readonly { readonly id: string }[];
}

const topics = ['nodes', 'tunnels', 'events'];

function bed() {
  const clock = new ManualClock();
  const sample = sampleFleet(clock.now(), { nodes: 4, tunnels: 1 });
  const [tunnel] = sample.tunnels;
  if (tunnel === undefined) throw new Error('the sample fleet has no tunnel');
  let listener: FleetListener = {};
  let away = false;
  const unlessAway = <Answer>(answer: Answer): Promise<Answer> =>
    away ? Promise.reject(new Error('the database is away')) : Promise.resolve(answer);
  const fleet = {
    subscribe: (given: FleetListener) => {
      listener = given;
      return () => undefined;
    },
    tunnels: { get: (id: string) => unlessAway({ ...tunnel, id }) },
    overview: () => unlessAway({}),
  } as unknown as Fleet;
  const nodes = new Map(sample.nodes.map((node) => [node.id, node]));
  const mirror = { nodes: () => unlessAway(nodes), takeChangedByTime: () => [] } as unknown as FleetMirror;
  const flaps = { counts: () => Promise.resolve(new Map()) } as unknown as FlapCounter;
  const feed = new DashboardFeed({ fleet, mirror, flaps, clock });
  const messages: Message[] = [];
  feed.add({ topics: new Set(topics), send: (message) => messages.push(JSON.parse(message.toString()) as Message) });
  feed.start();
  const period = () => clock.advanceAsync(500);
  const of = (topic: string) => messages.filter((message) => message.topic === topic);
  return { nodeIds: [...nodes.keys()], tell: () => listener, setAway: (now: boolean) => (away = now), period, of };
}

test('sends what changed while the database was away once it is back', async () => {
  const { nodeIds, tell, setAway, period, of } = bed();
  setAway(true);
  tell().nodesChanged?.(nodeIds.slice(0, 1));
  tell().legsChanged?.(['a'], []);
  await period();
  expect(of('nodes')).toEqual([]);
  setAway(false);
  await period();
  expect(of('nodes').flatMap(({ items }) => items)).toMatchObject([{ id: nodeIds[0] }]);
  expect(of('tunnels').flatMap(({ items }) => items)).toMatchObject([{ id: 'a' }]);
});

test('asks readers to read again where more tunnels changed than a message holds', async () => {
  const { tell, period, of } = bed();
  tell().legsChanged?.(
    Array.from({ length: 501 }, (_, index) => `t${index}`),
    [],
  );
  await period();
  expect(of('tunnels')).toEqual([{ type: 'delta', topic: 'tunnels', items: [] }]);
});

test('asks readers of every topic to read again when notices of other instances were lost', async () => {
  const { tell, period, of } = bed();
  tell().allChanged?.();
  await period();
  for (const topic of topics) expect(of(topic)).toEqual([{ type: 'delta', topic, items: [] }]);
});
