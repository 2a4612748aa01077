import { describe, expect, it } from 'vitest';
import type { OwnEvents } from '../../../../src/manager/events/own-events.ts';
import { InstanceLease } from '../../../../src/manager/instances/instance-lease.ts';
import type { Store } from '../../../../src/manager/store/store.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { silentLogger } from '../../../support/fakes/silent-logger.ts';

interface Bed {
  /** Answers that the database holds back; each call lets one go. */
  readonly waiting: (() => void)[];
  slow: boolean;
  failing: string | null;
  /** Ids under which it was registered, in their order. */
  readonly registered: string[];
  readonly adopted: [string, string][];
  reaped: number;
  fenced: boolean;
  /** What the others say of themselves. */
  peerReady: boolean;
  cutOff: boolean;
}

const peer = { id: 'other', name: 'south', url: 'https://south.example:8443' };

/** A lease on a database that is slow, or fails in one statement, as the test says. */
async function leaseOn(clock: ManualClock) {
  const bed: Bed = {
    ...{ waiting: [], slow: false, failing: null, registered: [], adopted: [], reaped: 0, fenced: false },
    ...{ peerReady: true, cutOff: false },
  };
  const answer = async <Value>(statement: string, value: Value): Promise<Value> => {
    if (bed.slow) await new Promise<void>((resolve) => bed.waiting.push(resolve));
    if (bed.failing === statement) throw new Error(`${statement} failed`);
    return value;
  };
  const instances = {
    all: () => answer('all', [peer]),
    register: async ({ id }: { readonly id: string }) => {
      await answer('register', undefined);
      bed.registered.push(id);
    },
    remove: () => answer('remove', undefined),
    forgetOlder: () => answer('forget', undefined),
    renew: () => answer('renew', true),
  };
  const sessions = {
    reap: () => {
      bed.reaped += 1;
      return answer('reap', []);
    },
    adopt: async (from: string, to: string) => {
      await answer('adopt', []);
      bed.adopted.push([from, to]);
    },
    heldBy: () => answer('heldBy', new Map<string, number>()),
  };
  const lease = new InstanceLease(
    {
      ...{ clock, logger: silentLogger },
      store: { instances, sessions, legs: { releaseOrphans: () => Promise.resolve() } } as unknown as Store,
      events: () => ({}) as unknown as OwnEvents,
      onFenced: (fenced) => (bed.fenced = fenced),
      onHeld: () => undefined,
      onReaped: () => undefined,
      onCutOff: (cutOff) => (bed.cutOff = cutOff),
      isReady: (url) => Promise.resolve(url === peer.url && bed.peerReady),
    },
    { name: 'north', url: null, version: '1' },
  );
  await lease.start(false);
  return { lease, bed };
}

async function letGo(bed: Bed, clock: ManualClock): Promise<void> {
  bed.slow = false;
  for (const go of bed.waiting.splice(0)) go();
  await clock.advanceAsync(0);
}

describe('a lease', () => {
  it('that is renewed in time is kept', async () => {
    const clock = new ManualClock();
    const { bed } = await leaseOn(clock);
    await clock.advanceAsync(60_000);
    expect(bed).toMatchObject({ fenced: false });
    expect(bed.registered).toHaveLength(1);
  });

  it('is taken anew when the answer comes so late that others may have thought it dead', async () => {
    const clock = new ManualClock();
    const { bed } = await leaseOn(clock);
    bed.slow = true;
    await clock.advanceAsync(16_000);
    expect(bed.fenced).toBe(true);
    await letGo(bed, clock);
    expect(bed.registered).toHaveLength(2);
    expect(bed.adopted).toEqual([bed.registered]);
    expect(bed.fenced).toBe(false);
  });

  it('lasts from when it was asked for, not from when the answer came', async () => {
    const clock = new ManualClock();
    const { lease, bed } = await leaseOn(clock);
    bed.slow = true;
    await clock.advanceAsync(9_000);
    await letGo(bed, clock);
    expect(bed.registered).toHaveLength(1);
    expect(lease.ageMs).toBe(4_000);
  });

  it.each(['register', 'adopt', 'remove'])(
    'takes the sessions of its former id over, also when the first try fails at %s',
    async (statement) => {
      const clock = new ManualClock();
      const { bed } = await leaseOn(clock);
      const [first = ''] = bed.registered;
      bed.slow = true;
      await clock.advanceAsync(16_000);
      bed.failing = statement;
      await letGo(bed, clock);
      bed.failing = null;
      await clock.advanceAsync(5_000);
      const last = bed.registered.at(-1) ?? '';
      expect(last).not.toBe(first);
      expect(bed.adopted.at(-1)).toEqual([first, last]);
    },
  );

  it('lets others renew theirs after the database was away, before it thinks them dead', async () => {
    const clock = new ManualClock();
    const { bed } = await leaseOn(clock);
    bed.failing = 'renew';
    await clock.advanceAsync(60_000);
    bed.failing = null;
    const before = bed.reaped;
    await clock.advanceAsync(14_000);
    expect(bed.reaped).toBe(before);
    await clock.advanceAsync(10_000);
    expect(bed.reaped).toBeGreaterThan(before);
  });

  it.each([0, 1, 2_500, 4_999])(
    'MI1 cut %i ms after a renewal sends its nodes away once it is 30 s old, not a renewal later',
    async (sinceMs) => {
      const clock = new ManualClock();
      const { lease, bed } = await leaseOn(clock);
      await clock.advanceAsync(60_000 + sinceMs);
      bed.slow = true;
      await clock.advanceAsync(29_900 - sinceMs);
      expect(bed).toMatchObject({ fenced: true, cutOff: false });
      await clock.advanceAsync(1_000);
      expect(lease.ageMs).toBeLessThan(31_000);
      expect(bed.cutOff).toBe(true);
      await letGo(bed, clock);
      expect(bed).toMatchObject({ fenced: false, cutOff: false });
    },
  );

  it('keeps its nodes while no other instance is ready: the database is away for all', async () => {
    const clock = new ManualClock();
    const { bed } = await leaseOn(clock);
    bed.peerReady = false;
    bed.slow = true;
    await clock.advanceAsync(300_000);
    expect(bed).toMatchObject({ fenced: true, cutOff: false });
  });

  it('keeps its nodes after the process stood still, until it has tried for 20 s', async () => {
    const clock = new ManualClock();
    const { bed } = await leaseOn(clock);
    bed.slow = true;
    clock.stall(60_000);
    await clock.advanceAsync(19_000);
    expect(bed.cutOff).toBe(false);
    await clock.advanceAsync(2_000);
    expect(bed.cutOff).toBe(true);
  });
});
