import { describe, expect, it } from 'vitest';
import { choose, parseOptions } from '../../../bench/options.ts';

describe('the options of a run', () => {
  it('are one round of everything by default', () => {
    expect(parseOptions([])).toMatchObject({
      isPaths: false,
      rounds: 1,
      discardFirst: false,
      only: null,
      save: 'latest',
    });
  });

  it('may ask for paths, whose files have a name of their own', () => {
    expect(parseOptions(['--paths', '--full'])).toMatchObject({
      ...{ isPaths: true, isFull: true, rounds: 5, discardFirst: false, save: 'paths' },
    });
  });

  it('may ask for streams over paths, whose files have a name of their own', () => {
    expect(parseOptions(['--paths', '--streams', '--full'])).toMatchObject({
      ...{ isStreams: true, isPaths: false, rounds: 5, discardFirst: false, save: 'streams' },
    });
  });

  it('may ask for edge, relay and edge from end to end, beside frp', () => {
    expect(parseOptions(['--frp'])).toMatchObject({ isChain: true, isPaths: false, rounds: 1, save: 'frp' });
    expect(parseOptions(['--frp', '--full'])).toMatchObject({ rounds: 5, discardFirst: true, save: 'frp' });
  });

  it('of a full run are five rounds after one that does not count', () => {
    expect(parseOptions(['--full'])).toMatchObject({ rounds: 5, discardFirst: true });
  });

  it('may name rounds, figures and columns', () => {
    expect(parseOptions(['--rounds', '3', '--only', 'idle, storm', '--relays', 'quiche'])).toMatchObject({
      rounds: 3,
      discardFirst: true,
      only: ['idle', 'storm'],
      relays: ['quiche'],
      save: null,
    });
  });

  it('may name the seed of the first round of paths', () => {
    expect(parseOptions(['--paths', '--seed', '41'])).toMatchObject({ seed: 41 });
    expect(parseOptions(['--paths'])).toMatchObject({ seed: null });
  });

  it.each(['-1', '1.5', '1000000', 'today'])('refuse %s as a seed', (seed) => {
    expect(() => parseOptions([`--seed=${seed}`])).toThrow('--seed');
  });

  it('may name the files of a part', () => {
    expect(parseOptions(['--only', 'idle', '--save', 'idle-today'])).toMatchObject({ save: 'idle-today' });
    expect(() => parseOptions(['--save', '../elsewhere'])).toThrow('--save');
  });

  it('may ask for help', () => {
    expect(parseOptions(['--help'])).toBe('help');
  });

  it.each(['0', '-1', '1.5', 'many'])('refuse %s rounds', (rounds) => {
    expect(() => parseOptions([`--rounds=${rounds}`])).toThrow('--rounds');
  });

  it('refuse what they do not know', () => {
    expect(() => parseOptions(['--fast'])).toThrow('--fast');
  });
});

describe('a choice', () => {
  const items = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];

  it('keeps the order of what there is', () => {
    expect(choose(items, ['c', 'a'])).toEqual([{ name: 'a' }, { name: 'c' }]);
    expect(choose(items, null)).toBe(items);
  });

  it('of something unknown says what there is', () => {
    expect(() => choose(items, ['a', 'd'])).toThrow('there is no "d" here; there is a, b, c');
  });
});
