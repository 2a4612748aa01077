import { describe, expect, it } from 'vitest';
import { TurnQueue } from '../../../src/lib/turn-queue.ts';

describe('a queue of turns', () => {
  it('runs one task at a time, in order', async () => {
    const queue = new TurnQueue();
    const steps: string[] = [];
    const gate = Promise.withResolvers<undefined>();
    const first = queue.run(async () => {
      steps.push('first begins');
      await gate.promise;
      steps.push('first ends');
    });
    const second = queue.run(() => {
      steps.push('second');
      return Promise.resolve(2);
    });
    await Promise.resolve();
    gate.resolve(undefined);
    await first;
    expect(await second).toBe(2);
    expect(steps).toEqual(['first begins', 'first ends', 'second']);
  });

  it('rejects as its task does, and runs the next one', async () => {
    const queue = new TurnQueue();
    const failing = queue.run(() => Promise.reject(new Error('disk full')));
    const next = queue.run(() => Promise.resolve('ran'));
    await expect(failing).rejects.toThrow('disk full');
    expect(await next).toBe('ran');
  });
});
