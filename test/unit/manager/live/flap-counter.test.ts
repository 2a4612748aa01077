import { expect, test } from 'vitest';
import type { Fleet, FleetListener } from '../../../../src/manager/fleet.ts';
import { FlapCounter } from '../../../../src/manager/live/flap-counter.ts';
import type { EventRow } from '../../../../src/manager/store/schema.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

test('counts the losses that a manager saw, not what a node raises in the same words', async () => {
  const clock = new ManualClock();
  let listener: FleetListener = {};
  const fleet = {
    subscribe: (given: FleetListener) => {
      listener = given;
      return () => undefined;
    },
    events: { page: () => Promise.resolve([]) },
  } as unknown as Fleet;
  const flaps = new FlapCounter(fleet, clock);
  flaps.start();
  const lost = { node_id: 'n', category: 'connection', severity: 'critical' };
  const events = [
    { ...lost, instance_id: 'i', raised_at: clock.now() },
    ...Array.from({ length: 100 }, (_, index) => ({ ...lost, instance_id: null, raised_at: clock.now() + index })),
  ];
  await flaps.counts();
  listener.eventsStored?.(events as unknown as readonly EventRow[]);
  expect(await flaps.counts()).toEqual(new Map([['n', 1]]));
});
