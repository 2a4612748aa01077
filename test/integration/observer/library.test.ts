import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

async function run(code: string): Promise<string> {
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', code];
  return (await promisify(execFile)(process.execPath, flags, { cwd: root, timeout: 60_000 })).stdout;
}

describe('the package as a library', () => {
  it('gives the events of an observer to the program of docs/observer.md', async () => {
    const [, code = ''] = /```js\n([^]*?)```/.exec(await readFile(`${root}/docs/observer.md`, 'utf8')) ?? [];
    expect(await run(code)).toBe('Beat\nStall\n');
  });

  it('is imported without running the command line, and has no other entries', async () => {
    expect(await run("const names = await import('adit/beat-frame'); console.log(typeof names.decodeBeat);")).toBe(
      'function\n',
    );
    await expect(run("await import('adit/src/main.ts');")).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});
