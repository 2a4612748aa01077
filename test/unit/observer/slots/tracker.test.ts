import { describe, expect, it } from 'vitest';
import { Tracker, type TrackedBeat, type TrackerSettings } from '../../../../src/observer/slots/tracker.ts';
import { TERMINAL_NONCE, type BeatFrame } from '../../../../src/protocol/beat/beat-frame.ts';

const thresholdNs = 1000;

function newTracker(settings: Partial<TrackerSettings> = {}, startTimes = new Map<number, number>()): Tracker {
  return new Tracker((pid) => startTimes.get(pid) ?? null, {
    ...{ capacity: 2, evictionPolicy: 'strict', scanWindow: 2, thresholdNs, originPolicy: 'first', minGapNs: 0 },
    ...settings,
  });
}

function beat(frame: Partial<BeatFrame>, rest: Partial<TrackedBeat> = {}): TrackedBeat {
  const whole: BeatFrame = { status: 'Ok', pid: 5, timestamp: 0n, nonce: 1n, payload: 0, ...frame };
  return { frame: whole, origin: 'KernelAttested', nsInode: 1n, gone: false, receivedNs: 0, ...rest };
}

describe('the tracker', () => {
  it.each([
    ['a larger nonce', 5n, 9n, 'forward'],
    ['the first after the largest', TERMINAL_NONCE - 1n, 0n, 'wrap'],
    ['a small one after a terminal one', TERMINAL_NONCE, 2n ** 20n - 1n, 'wrap'],
  ])('accepts %s', (_name, last, next, sequence) => {
    const tracker = newTracker();
    tracker.accept(beat({ nonce: last }));
    expect(tracker.accept(beat({ nonce: next }, { receivedNs: 1 }))).toMatchObject({ kind: 'accepted', sequence });
  });

  it.each([
    ['the same nonce', 5n, 5n],
    ['a smaller one', 5n, 4n],
    ['one just outside the wrap', TERMINAL_NONCE, 2n ** 20n],
    ['a small one after one just before the wrap', TERMINAL_NONCE - 2n ** 20n - 1n, 0n],
  ])('drops %s', (_name, last, next) => {
    const tracker = newTracker();
    tracker.accept(beat({ nonce: last }));
    expect(tracker.accept(beat({ nonce: next }, { receivedNs: 1 }))).toEqual({ kind: 'out-of-order' });
    expect(tracker.table.get(5)).toMatchObject({ nonce: last, lastNs: 0 });
  });

  it('takes a new sequence at once from a new process under the same pid', () => {
    const startTimes = new Map([[5, 100]]);
    const tracker = newTracker({}, startTimes);
    tracker.accept(beat({ nonce: 9n }));
    startTimes.set(5, 200);
    expect(tracker.accept(beat({ nonce: 1n }, { receivedNs: 1 }))).toMatchObject({
      kind: 'accepted',
      sequence: 'restart',
    });
  });

  it('takes a new sequence from the same process after half a threshold of silence', () => {
    const tracker = newTracker();
    tracker.accept(beat({ nonce: 9n }));
    expect(tracker.accept(beat({ nonce: 1n }, { receivedNs: 499 })).kind).toBe('out-of-order');
    expect(tracker.accept(beat({ nonce: 1n }, { receivedNs: 500 }))).toMatchObject({ sequence: 'restart' });
  });

  it('never takes a new sequence over UDP, where it may be a replay', () => {
    const tracker = newTracker();
    const udp = { origin: 'NetworkUnverified', nsInode: null } as const;
    tracker.accept(beat({ nonce: 9n }, udp));
    expect(tracker.accept(beat({ nonce: 1n }, { ...udp, receivedNs: 1e9 })).kind).toBe('out-of-order');
  });

  it.each(['KernelAttested', 'NetworkUnverified'] as const)('keeps a slot for the origin %s', (origin) => {
    const tracker = newTracker();
    tracker.accept(beat({ nonce: 1n }, { origin }));
    const other = origin === 'KernelAttested' ? 'NetworkUnverified' : 'KernelAttested';
    const refused = tracker.accept(beat({ nonce: 2n }, { origin: other, receivedNs: 1 }));
    expect(refused).toEqual({ kind: 'origin-conflict', slotOrigin: origin });
    expect(tracker.table.get(5)).toMatchObject({ nonce: 1n, origin });
  });

  it('lets a kernel-attested beat take over where the policy is stronger, and not the other way', () => {
    const tracker = newTracker({ originPolicy: 'stronger' });
    tracker.accept(beat({ nonce: 50n }, { origin: 'NetworkUnverified', nsInode: null }));
    expect(tracker.accept(beat({ nonce: 1n }, { receivedNs: 1 })).kind).toBe('accepted');
    expect(tracker.table.get(5)).toMatchObject({ nonce: 1n, origin: 'KernelAttested', nsInode: 1n });
    const back = tracker.accept(beat({ nonce: 60n }, { origin: 'NetworkUnverified', nsInode: null, receivedNs: 2 }));
    expect(back.kind).toBe('origin-conflict');
  });

  it('fills in a namespace that was not known, and keeps it', () => {
    const tracker = newTracker();
    tracker.accept(beat({ nonce: 1n }, { nsInode: null }));
    tracker.accept(beat({ nonce: 2n }, { nsInode: 7n }));
    expect(tracker.accept(beat({ nonce: 3n }, { nsInode: 8n }))).toEqual({ kind: 'namespace-conflict', pinned: 7n });
    expect(tracker.accept(beat({ nonce: 3n }, { nsInode: null })).kind).toBe('namespace-conflict');
    expect(tracker.accept(beat({ nonce: 3n }, { nsInode: null, gone: true })).kind).toBe('accepted');
  });

  it('holds two beats of a pid apart, but not a terminal one', () => {
    const tracker = newTracker({ minGapNs: 10 });
    tracker.accept(beat({ nonce: 1n }));
    expect(tracker.accept(beat({ nonce: 2n }, { receivedNs: 9 })).kind).toBe('too-soon');
    expect(tracker.accept(beat({ nonce: TERMINAL_NONCE, status: 'Critical' }, { receivedNs: 9 })).kind).toBe(
      'accepted',
    );
  });

  it('evicts only a stalled slot that was silent for ten thresholds', () => {
    const tracker = newTracker();
    tracker.accept(beat({ pid: 5 }));
    tracker.accept(beat({ pid: 6 }));
    const late = 10 * thresholdNs + 1;
    expect(tracker.accept(beat({ pid: 7 }, { receivedNs: late }))).toEqual({ kind: 'table-full', truncated: false });
    const slot = tracker.table.get(6);
    if (slot !== undefined) slot.stalled = true;
    expect(tracker.accept(beat({ pid: 7 }, { receivedNs: late - 1 })).kind).toBe('table-full');
    expect(tracker.accept(beat({ pid: 7 }, { receivedNs: late }))).toMatchObject({ evicted: { pid: 6 } });
    expect(tracker.table.get(6)).toBeUndefined();
  });

  it('evicts one that is only silent where the policy is balanced', () => {
    const tracker = newTracker({ evictionPolicy: 'balanced' });
    tracker.accept(beat({ pid: 5 }));
    tracker.accept(beat({ pid: 6 }));
    expect(tracker.accept(beat({ pid: 7 }, { receivedNs: 10 * thresholdNs + 1 }))).toMatchObject({
      evicted: { pid: 5 },
    });
  });

  it('looks at no more slots than its window, each time at the next ones', () => {
    const tracker = newTracker({ scanWindow: 1, evictionPolicy: 'balanced' });
    const late = 10 * thresholdNs + 1;
    tracker.accept(beat({ pid: 5, nonce: 1n }));
    tracker.accept(beat({ pid: 6 }));
    tracker.accept(beat({ pid: 5, nonce: 2n }, { receivedNs: late }));
    expect(tracker.accept(beat({ pid: 7 }, { receivedNs: late }))).toEqual({ kind: 'table-full', truncated: true });
    expect(tracker.accept(beat({ pid: 7 }, { receivedNs: late }))).toMatchObject({ evicted: { pid: 6 } });
  });
});
