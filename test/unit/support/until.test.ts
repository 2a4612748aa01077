import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';

describe('until', () => {
  it('returns the first truthy answer', async () => {
    const answers = [null, false, 'yes'];
    expect(await until(() => answers.shift(), { pollMs: 1 })).toBe('yes');
  });

  it('reports what it waited for when the deadline passes', async () => {
    await expect(until(() => false, { timeoutMs: 5, pollMs: 1, what: 'the moon' })).rejects.toThrow(
      'not within 5 ms: the moon',
    );
  });

  it('passes on what the condition throws', async () => {
    await expect(until(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });
});
