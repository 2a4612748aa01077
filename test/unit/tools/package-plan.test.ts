import { describe, expect, it } from 'vitest';
import { packageRefusal } from '../../../tools/package-plan.ts';

const all = { version: '1.2.3', only: undefined };

describe('npm run package', () => {
  it('makes packages on Linux x64, and the library anywhere', () => {
    expect(packageRefusal(all, 'linux', 'x64')).toBeNull();
    expect(packageRefusal(all, 'darwin', 'arm64')).toContain('darwin arm64');
    expect(packageRefusal({ ...all, only: 'deb' }, 'linux', 'arm64')).toContain('linux arm64');
    expect(packageRefusal({ ...all, only: 'library' }, 'darwin', 'arm64')).toBeNull();
  });

  it.each([
    [{ version: 'new', only: undefined }, '--as new: must be a version such as 1.2.3'],
    [{ version: '1.2.3', only: 'rpm' }, '--only rpm: must be one of tar, deb, library'],
  ])('refuses %o', (wish, refusal) => {
    expect(packageRefusal(wish, 'linux', 'x64')).toBe(refusal);
  });
});
