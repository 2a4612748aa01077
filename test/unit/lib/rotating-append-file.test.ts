import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RotatingAppendFile } from '../../../src/lib/rotating-append-file.ts';

describe('a file that is rotated', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'adit-append-'));
    path = join(folder, 'log');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('keeps five generations, the youngest as .1', () => {
    const file = new RotatingAppendFile({ path, maxBytes: 1, syncEvery: 0 });
    for (let turn = 1; turn <= 7; turn += 1) {
      file.write(`${turn}\n`);
      file.rotate();
    }
    file.close();
    const ages = [1, 2, 3, 4, 5].map((age) => readFileSync(`${path}.${age}`, 'utf8'));
    expect(ages).toEqual(['7\n', '6\n', '5\n', '4\n', '3\n']);
    expect(readFileSync(path, 'utf8')).toBe('');
  });

  it('goes on in the same file after a rotation that failed, and rotates later', () => {
    // A folder is in the way of the oldest generation.
    writeFileSync(`${path}.4`, 'old\n');
    mkdirSync(`${path}.5`);
    const file = new RotatingAppendFile({ path, maxBytes: 1, syncEvery: 0 });
    file.write('1\n');
    expect(() => {
      file.rotate();
    }).toThrow(/EISDIR|EPERM/);
    file.write('2\n');
    expect(readFileSync(path, 'utf8')).toBe('1\n2\n');
    rmSync(`${path}.5`, { recursive: true });
    file.rotate();
    file.write('3\n');
    file.close();
    expect([readFileSync(`${path}.1`, 'utf8'), readFileSync(path, 'utf8')]).toEqual(['1\n2\n', '3\n']);
  });
});
