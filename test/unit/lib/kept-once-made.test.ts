import { describe, expect, it } from 'vitest';
import { keptOnceMade } from '../../../src/lib/kept-once-made.ts';

describe('a value that is kept once it is made', () => {
  it('is made at the first call, and no second time', async () => {
    let made = 0;
    const get = keptOnceMade(async () => (made += 1));
    expect(made).toBe(0);
    expect(await Promise.all([get(), get()])).toEqual([1, 1]);
    expect(await get()).toBe(1);
  });

  it('is made anew after a failure, which all get who waited', async () => {
    let made = 0;
    const get = keptOnceMade(async () => {
      made += 1;
      if (made === 1) throw new Error('not now');
      return made;
    });
    const outcomes = await Promise.allSettled([get(), get()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await Promise.all([get(), get()])).toEqual([2, 2]);
  });
});
