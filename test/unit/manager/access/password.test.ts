import { describe, expect, test } from 'vitest';
import { hashPassword, passwordMatches, passwordProblem } from '../../../../src/manager/access/password.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

describe('passwords', () => {
  test('are stored as argon2id with their parameters and match only themselves', async () => {
    const hash = await hashPassword('correct horse battery', new SeededRandom());
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(await passwordMatches('correct horse battery', hash)).toBe(true);
    expect(await passwordMatches('correct horse batterY', hash)).toBe(false);
  });

  test('an unknown user has no password, not even the empty one', async () => {
    expect(await passwordMatches('', null)).toBe(false);
  });

  test.each([
    ['short', /5 characters; at least 12/],
    ['aaaaaaaaaaaaaaaa', /repeats/],
    ['alice-and-her-password', /contains the name/],
    ['x1y2z'.repeat(300), /longer than 1024/],
  ])('%s is refused', (password, problem) => {
    expect(passwordProblem(password, 'alice')).toMatch(problem);
  });

  test('a passphrase is taken, whatever its letters', () => {
    expect(passwordProblem('ein langer Satz mit Äpfeln', 'alice')).toBeNull();
  });
});
