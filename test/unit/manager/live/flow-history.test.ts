import { describe, expect, test } from 'vitest';
import { FlowHistory } from '../../../../src/manager/live/flow-history.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

function emptyHistory() {
  const history = new FlowHistory(new ManualClock());
  const report = (frame: unknown) => history.record('edge', frame);
  const flow = (errors: number, health = 'Healthy') => ({
    flows: [{ flow_id: 'main', health, input: { bitrate_bps: 5e6 }, tr101290: { continuity_errors: errors } }],
  });
  return { history, report, flow };
}

describe('the past of a flow', () => {
  test('is its bit rate, its health and the errors that were new', () => {
    const { history, report, flow } = emptyHistory();
    report(flow(17));
    report(flow(20, 'Warning'));
    report(flow(20));
    const past = history.of('edge', 'main');
    expect(past.map(({ newErrors }) => newErrors)).toEqual([0, 3, 0]);
    expect(past.map(({ health }) => health)).toEqual(['Healthy', 'Warning', 'Healthy']);
    expect(past.map(({ bitsPerSecond }) => bitsPerSecond)).toEqual([5e6, 5e6, 5e6]);
    expect(history.of('edge', 'other')).toEqual([]);
  });

  test('has the latest 120 points', () => {
    const { history, report, flow } = emptyHistory();
    for (let errors = 0; errors < 200; errors += 1) report(flow(errors));
    expect(history.of('edge', 'main')).toHaveLength(120);
  });

  test('is kept of no more than 500 flows of a node', () => {
    const { history, report } = emptyHistory();
    const flows = Array.from({ length: 600 }, (_, index) => ({ flow_id: `f${index}`, health: 'Healthy' }));
    report({ flows });
    expect([history.of('edge', 'f499').length, history.of('edge', 'f500').length]).toEqual([1, 0]);
  });

  test('counts from zero once the flow was started again', () => {
    const { history, report, flow } = emptyHistory();
    report(flow(17));
    report(flow(2));
    expect(history.of('edge', 'main').at(-1)?.newErrors).toBe(2);
  });

  test('ends when the edge no longer has the flow', () => {
    const { history, report, flow } = emptyHistory();
    report(flow(1));
    report({ flows: [] });
    expect(history.of('edge', 'main')).toEqual([]);
  });

  test.each([null, 7, [], { flows: 'x' }, { flows: [1, null, { flow_id: 4 }] }])(
    'does not mind a frame like %j',
    (frame) => {
      const { history, report } = emptyHistory();
      report(frame);
      expect(history.of('edge', 'main')).toEqual([]);
    },
  );
});
