import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';

const silentDays = join(import.meta.dirname, '../../soak/silent-days.ts');

describe('the numbers of a long command', () => {
  it.each([
    ['a word', ['many'], '"many"'],
    ['zero', ['0'], '"0"'],
    ['one number too many', ['1', '1', '7'], '"7"'],
    ['an option', ['--days'], '"--days"'],
  ])('%s is refused by name, with the usage', (_name, given, quoted) => {
    const { status, stderr } = run(...given);
    expect(stderr).toBe(`${quoted} is not understood here. Usage: npm run silent:days -- [days] [first seed]\n`);
    expect(status).toBe(2);
  });

  it('are shown by --help', () => {
    expect(run('--help')).toMatchObject({ status: 0, stdout: 'Usage: npm run silent:days -- [days] [first seed]\n' });
  });
});

function run(...args: string[]) {
  return spawnSync(process.execPath, [silentDays, ...args], { encoding: 'utf8' });
}
