import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { adminPassword, ApiBed } from '../../../support/manager/api-bed.ts';

describe('signing in', () => {
  let bed: ApiBed;

  beforeEach(async () => {
    bed = await ApiBed.start();
    await bed.signUp();
  });

  afterEach(async () => bed[Symbol.asyncDispose]());

  test('judges five wrong passwords a minute, also when many come at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => bed.signIn('alice', 'wrong-password')));
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([...Array<number>(5).fill(401), ...Array<number>(15).fill(429)]);
    expect((await bed.signIn('alice', adminPassword)).status).toBe(429);
  });

  test('takes the right password as often as it comes', async () => {
    for (let tries = 0; tries < 12; tries++) expect((await bed.signIn('alice', adminPassword)).status).toBe(200);
  });
});
