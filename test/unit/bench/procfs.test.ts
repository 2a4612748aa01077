import { describe, expect, it } from 'vitest';
import { parseMachineStat, parseSchedstat, parseStatus } from '../../../bench/procfs.ts';

describe('a line of schedstat', () => {
  it('begins with nanoseconds on a CPU', () => {
    expect(parseSchedstat('123456789012 3456 78\n')).toBe(123_456_789_012);
  });

  it.each(['', '12', 'a b c', '-1 2 3'])('is refused when it is %j', (text) => {
    expect(() => parseSchedstat(text)).toThrow('not a schedstat line');
  });
});

describe('a status file', () => {
  it('reads what a process holds and held at most, in bytes', () => {
    const text = 'Name:\tnode\nVmHWM:\t   2048 kB\nVmRSS:\t    1024 kB\nThreads:\t11\n';
    expect(parseStatus(text)).toEqual({ rssBytes: 1_048_576, peakRssBytes: 2_097_152 });
  });

  it('of a process without memory of its own is refused', () => {
    expect(() => parseStatus('Name:\tkthreadd\n')).toThrow('no VmRSS');
  });
});

describe('the first line of /proc/stat', () => {
  it('counts everything but idling and waiting for disks as busy', () => {
    expect(parseMachineStat('cpu  10 20 30 400 50 6 7 8 90 10\ncpu0 1 2 3\n')).toEqual({ busy: 81, total: 531 });
  });

  it('is refused when it is something else', () => {
    expect(() => parseMachineStat('intr 1 2 3')).toThrow('not the start');
  });
});
