import { describe, expect, test } from 'vitest';
import type { Fleet, FleetListener } from '../../../../src/manager/fleet.ts';
import { FlowHistory } from '../../../../src/manager/live/flow-history.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

/** A history whose edge reports the flow `main` as it is told. */
function historyOfOneEdge() {
  const clock = new ManualClock();
  const listeners: FleetListener[] = [];
  let payload: unknown = null;
  const fleet = {
    subscribe: (listener: FleetListener) => listeners.push(listener),
    nodes: { stats: () => Promise.resolve(payload === null ? null : { at: clock.now(), payload }) },
  } as unknown as Fleet;
  const history = new FlowHistory(fleet, clock);
  history.start();
  /** A stats frame, so many seconds after the one before. */
  const report = async (seconds: number, frame: unknown) => {
    clock.advance(seconds * 1_000);
    payload = frame;
    for (const listener of listeners) listener.statsReceived?.('edge');
    await Promise.resolve();
    await Promise.resolve();
  };
  const flow = (errors: number, health = 'Healthy') => ({
    flows: [{ flow_id: 'main', health, input: { bitrate_bps: 5e6 }, tr101290: { continuity_errors: errors } }],
  });
  return { history, report, flow };
}

describe('the past of a flow', () => {
  test('is its bit rate, its health and the errors that were new', async () => {
    const { history, report, flow } = historyOfOneEdge();
    await report(5, flow(17));
    await report(5, flow(20, 'Warning'));
    await report(5, flow(20));
    const past = history.of('edge', 'main');
    expect(past.map(({ newErrors }) => newErrors)).toEqual([0, 3, 0]);
    expect(past.map(({ health }) => health)).toEqual(['Healthy', 'Warning', 'Healthy']);
    expect(past.map(({ bitsPerSecond }) => bitsPerSecond)).toEqual([5e6, 5e6, 5e6]);
    expect(history.of('edge', 'other')).toEqual([]);
  });

  test('has a point every 5 s, and those of ten minutes', async () => {
    const { history, report, flow } = historyOfOneEdge();
    for (let second = 0; second < 20; second += 1) await report(1, flow(0));
    expect(history.of('edge', 'main')).toHaveLength(4);
    for (let times = 0; times < 200; times += 1) await report(5, flow(0));
    expect(history.of('edge', 'main')).toHaveLength(120);
  });

  test('counts from zero once the flow was started again', async () => {
    const { history, report, flow } = historyOfOneEdge();
    await report(5, flow(17));
    await report(5, flow(2));
    expect(history.of('edge', 'main').at(-1)?.newErrors).toBe(2);
  });

  test('ends when the edge no longer has the flow', async () => {
    const { history, report, flow } = historyOfOneEdge();
    await report(5, flow(1));
    await report(5, { flows: [] });
    expect(history.of('edge', 'main')).toEqual([]);
  });

  test.each([null, 7, [], { flows: 'x' }, { flows: [1, null, { flow_id: 4 }] }])(
    'does not mind a frame like %j',
    async (frame) => {
      const { history, report } = historyOfOneEdge();
      await report(5, frame);
      expect(history.of('edge', 'main')).toEqual([]);
    },
  );
});
