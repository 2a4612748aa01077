import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/lib/app-error.ts';
import { localCause } from '../../../../src/edge/local/local-cause.ts';
import { Troubles } from '../../../../src/edge/local/troubles.ts';
import { parseRfc3339 } from '../../../../src/lib/clock.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

describe('a trouble of a tunnel', () => {
  it('stands until something works again, with its count, its age and the latest cause', () => {
    const clock = new ManualClock();
    const troubles = new Troubles(clock);
    troubles.happened('local', 'first');
    clock.advance(60_000);
    troubles.happened('local', 'second');
    const [report] = troubles.report();
    expect(report).toMatchObject({ kind: 'local', cause: 'second', count: 2 });
    expect(parseRfc3339(report?.last_at ?? '') - parseRfc3339(report?.since ?? '')).toBe(60_000);
    troubles.worked('key');
    expect(troubles.report()).toHaveLength(1);
    troubles.worked('local', false);
    expect(troubles.report()).toEqual([]);
  });

  it('does not end by a datagram that was sent within 2 s, since the error about it may be on its way', () => {
    const clock = new ManualClock();
    const troubles = new Troubles(clock);
    troubles.happened('local', 'refused');
    clock.advance(1999);
    troubles.worked('local');
    expect(troubles.report()).toHaveLength(1);
    clock.advance(1);
    troubles.worked('local');
    expect(troubles.report()).toEqual([]);
  });

  it.each([-86_400_000, 86_400_000])('ends and ages as before when the wall clock is set by %i ms', (setByMs) => {
    const clock = new ManualClock();
    let offMs = 0;
    const [now, monotonicMs] = [() => clock.now() + offMs, () => clock.monotonicMs()];
    const troubles = new Troubles({ now, monotonicMs });
    troubles.happened('local', 'refused');
    troubles.happened('key', 'changed');
    offMs = setByMs;
    clock.advance(5000);
    expect(troubles.report()).toHaveLength(2);
    const [report] = troubles.report();
    expect(now() - parseRfc3339(report?.last_at ?? '')).toBe(5000);
    troubles.worked('local');
    expect(troubles.report().map(({ kind }) => kind)).toEqual(['key']);
    clock.advance(3_600_000);
    expect(troubles.report()).toEqual([]);
  });

  it('leaves when nothing has tried again for an hour', () => {
    const clock = new ManualClock();
    const troubles = new Troubles(clock);
    troubles.happened('far', 'refused');
    clock.advance(3_600_000);
    expect(troubles.report()).toHaveLength(1);
    clock.advance(1);
    expect(troubles.report()).toEqual([]);
  });
});

it('finds the code in a message of the Rust engine', () => {
  const error = new AppError('connect-failed', 'ECONNREFUSED: Connection refused');
  expect(localCause(error)).toEqual({ kind: 'local', cause: 'nothing listens there (ECONNREFUSED)' });
});

it.each(['EADDRNOTAVAIL', 'EINVAL', 'ENETDOWN', 'ENETUNREACH', 'ENODEV'])(
  'finds the fault in this machine, whoever wraps the error: %s',
  (code) => {
    const error = Object.assign(new Error(`connect ${code}`), { code });
    const wrapped = new AppError('address-unavailable', 'cannot connect UDP 10.0.0.5:5000', { cause: error });
    for (const told of [error, wrapped]) expect(localCause(told).kind).toBe('machine');
    expect(localCause(wrapped).cause).toContain(`(${code})`);
  },
);

it.each([
  ['ECONNREFUSED', 'nothing listens there (ECONNREFUSED)'],
  ['EPERM', 'the system does not permit it (EPERM): look at the firewall here'],
  ['EOTHER', 'told otherwise'],
])('says in words why a local program is not reached: %s', (code, words) => {
  const error = Object.assign(new Error('told otherwise'), { code });
  expect(localCause(error)).toEqual({ kind: 'local', cause: words });
});
