import { expect, test } from 'vitest';
import type { Fleet, FleetListener, NodeView } from '../../../../src/manager/fleet.ts';
import { FleetMirror } from '../../../../src/manager/live/fleet-mirror.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

const graceMs = 15_000;

/** A fleet of one node; `onRead` is called at each read. */
function fleetOf(node: () => Partial<NodeView>, onRead: (listener: FleetListener) => void = () => undefined) {
  let listener: FleetListener = {};
  const read = async () => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    onRead(listener);
    return node() as NodeView;
  };
  return {
    subscribe: (given: FleetListener) => {
      listener = given;
      return () => undefined;
    },
    nodes: { get: read, page: async () => ({ items: [await read()], next: null }) },
  } as unknown as Fleet;
}

test('shows what was there when it was asked, also of a fleet that changes at every moment', async () => {
  let reads = 0;
  const fleet = fleetOf(
    () => ({ id: 'n', name: `read ${++reads}`, state: 'online', expires_at: null }),
    (listener) => listener.nodesChanged?.(['n']),
  );
  const mirror = new FleetMirror(fleet, new ManualClock(), graceMs);
  mirror.start();
  expect((await mirror.nodes()).get('n')).toMatchObject({ name: 'read 1' });
  expect((await mirror.nodes()).get('n')).toMatchObject({ name: 'read 2' });
});

test('shows without a notice that the grace of a lost node is over, and that a node has expired', async () => {
  const clock = new ManualClock();
  const lostAt = clock.now();
  const expires_at = lostAt + 60_000;
  const state = () => {
    if (clock.now() >= expires_at) return 'expired';
    return clock.now() - lostAt < graceMs ? 'reconnecting' : 'offline';
  };
  const fleet = fleetOf(() => ({ id: 'n', state: state(), last_seen_at: lostAt, expires_at }));
  const mirror = new FleetMirror(fleet, clock, graceMs);
  const shown = async () => (await mirror.nodes()).get('n')?.state;
  expect(await shown()).toBe('reconnecting');
  clock.advance(graceMs);
  expect(await shown()).toBe('offline');
  expect(mirror.takeChangedByTime()).toEqual(['n']);
  clock.advance(60_000);
  expect(mirror.takeChangedByTime()).toEqual(['n']);
  expect(await shown()).toBe('expired');
  expect(mirror.takeChangedByTime()).toEqual([]);
});
