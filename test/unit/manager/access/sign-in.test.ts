import { expect, test } from 'vitest';
import { SignIn } from '../../../../src/manager/access/sign-in.ts';
import type { AccessStore } from '../../../../src/manager/store/access-store.ts';
import { SystemRandom } from '../../../../src/lib/random.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

/** A store that knows no user. */
const empty = {
  users: { byName: () => Promise.resolve(null) },
  transaction: () => Promise.resolve(),
} as unknown as AccessStore;

function guesses(addresses: readonly string[]): Promise<readonly string[]> {
  const signIn = new SignIn({ store: empty, clock: new ManualClock(), random: new SystemRandom() });
  return Promise.all(
    addresses.map(async (ip, index) => {
      const refused: unknown = await signIn
        .withPassword(`user ${index}`, 'wrong', { ip, userAgent: null })
        .catch((error: unknown) => error);
      return (refused as { readonly code: string }).code;
    }),
  );
}

test('counts guesses at many names by the IPv6 /64 that one customer moves within', async () => {
  const codes = await guesses(['::1', '::2', ':3::4', '::5', ':ffff::6', '::7'].map((end) => `2001:db8:0:1${end}`));
  expect(codes.filter((code) => code === 'invalid_credentials')).toHaveLength(5);
  expect(codes.at(-1)).toBe('too_many_attempts');
});

test('counts guesses of other networks apart', async () => {
  const codes = await guesses([1, 2, 3, 4, 5, 6].map((network) => `2001:db8:0:${network}::1`));
  expect(new Set(codes)).toEqual(new Set(['invalid_credentials']));
});
