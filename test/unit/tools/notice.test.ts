import { describe, expect, it } from 'vitest';
import { readPage } from '../../support/markdown.ts';
import { npmPackages } from '../../../tools/third-party.ts';

/**
 * MPL-2.0 asks for the source of the files that are under it, when they are changed: they are passed on as npm has them.
 * Both it and the Unlicense come with werift.
 */
const allowed = ['MIT', 'ISC', 'Apache-2.0', 'BSD-3-Clause', '0BSD', 'Unlicense', 'MPL-2.0'];

describe('NOTICE', () => {
  const notice = readPage('NOTICE');

  it('names each npm package that is installed, with version and licence; if not, run: npm run notice', () => {
    const part = /^== Packages from npm\n.*\n\n((?:.+\n)+)/m.exec(notice)?.[1]?.trim().split('\n');
    expect(part).toEqual(npmPackages().map(({ name, version, licence }) => `${name} ${version}: ${licence}`));
  });

  it('names crates in the versions of Cargo.lock', () => {
    const crates = [...(/^== Crates in .*\n\n((?:.+\n)+)/m.exec(notice)?.[1] ?? '').matchAll(/^(\S+) (\S+): /gm)];
    const lock = readPage('native/Cargo.lock');
    expect(crates.length).toBeGreaterThan(20);
    const others = crates.filter(
      ([, name = '', version = '']) => !lock.includes(`name = "${name}"\nversion = "${version}"\n`),
    );
    expect(others.map(([line]) => line)).toEqual([]);
  });

  it('has no npm package under a licence that nobody has looked at', () => {
    expect(npmPackages().filter(({ licence }) => !allowed.includes(licence))).toEqual([]);
  });
});
