import { describe, expect, it } from 'vitest';
import { chooseRelay } from '../../../../src/edge/tunnel/relay-choice.ts';
import { DropReporter } from '../../../../src/lib/drop-reporter.ts';

const away = { ready: false, suspect: false };
const ready = { ready: true, suspect: false };
const silent = { ready: true, suspect: true };

describe('the choice between relays', () => {
  it.each([
    ['none while none has the peer', [away, away], null],
    ['the primary when both are ready', [ready, ready], 0],
    ['the backup while the primary is away', [away, ready], 1],
    ['the backup while the primary is silent', [silent, ready], 1],
    ['the primary again when both are silent', [silent, silent], 0],
    ['a silent one rather than none', [away, silent], 1],
    ['the only one', [ready], 0],
  ])('is %s', (_name, candidates, expected) => {
    expect(chooseRelay(candidates)).toBe(expected);
  });
});

describe('reports of drops', () => {
  it('come at once, then at most once a minute for each reason, with what was dropped since', () => {
    const reporter = new DropReporter();
    expect(reporter.observe(0, { too_large: 0 })).toEqual([]);
    expect(reporter.observe(1000, { too_large: 3 })).toEqual([{ reason: 'too_large', count: 3, windowSecs: 60 }]);
    expect(reporter.observe(2000, { too_large: 9, queue_full: 1 })).toEqual([
      { reason: 'queue_full', count: 1, windowSecs: 60 },
    ]);
    expect(reporter.observe(61_000, { too_large: 9, queue_full: 1 })).toEqual([
      { reason: 'too_large', count: 6, windowSecs: 60 },
    ]);
    expect(reporter.observe(200_000, { too_large: 9, queue_full: 1 })).toEqual([]);
  });
});
