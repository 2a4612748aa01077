import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { repository } from '../../support/markdown.ts';

it('zod loads its English messages and those of no other language', async () => {
  const script = `
    import { leaveOutLocales } from './src/lib/leave-out-locales.ts';
    leaveOutLocales();
    const { z } = await import('zod');
    console.log(Object.keys(z.locales).length, z.string().safeParse(1).error.issues[0].message);`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
    { cwd: repository },
  );
  expect(stdout).toBe('1 Invalid input: expected string, received number\n');
});
