import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, it } from 'vitest';

const source = join(import.meta.dirname, '../../../src/lib/rotating-append-file.ts');

/** Fills three generations, takes every descriptor that is left, and rotates as often as a busy log would. */
const script = `
  import { openSync } from 'node:fs';
  import { RotatingAppendFile } from ${JSON.stringify(source)};
  const file = new RotatingAppendFile({ path: process.argv[1], maxBytes: 1, syncEvery: 0 });
  for (const text of ['1', '2', '3']) {
    file.write(text);
    file.rotate();
  }
  file.write('4');
  const refusals = [];
  const note = (action) => {
    try {
      action();
    } catch (error) {
      refusals.push(error.code);
    }
  };
  note(() => {
    for (;;) openSync('/dev/null', 'r');
  });
  for (let times = 0; times < 6; times += 1) note(() => file.rotate());
  file.write('5');
  process.stdout.write(refusals.join(' '));
`;

it('a rotation for which no descriptor is left pushes no generation out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adit-append-'));
  const path = join(folder, 'log');
  const limited = ['-c', 'ulimit -n 128; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script, path];
  const refusals = execFileSync('/bin/sh', limited, { encoding: 'utf8' });
  expect(new Set(refusals.split(' '))).toEqual(new Set(['EMFILE']));
  const read = (name: string): string => readFileSync(name, 'utf8');
  expect([`${path}.3`, `${path}.2`, `${path}.1`, path].map(read)).toEqual(['1', '2', '3', '45']);
  rmSync(folder, { recursive: true });
});
