import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readIfThere } from '../../../src/lib/read-if-there.ts';

describe('a file that may be missing', () => {
  const read = (path: string) => readIfThere(path, () => readFile(path, 'utf8'));

  it('is read where it is there, and null where it is not', async () => {
    expect(await read(import.meta.filename)).toContain('a file that may be missing');
    expect(await read(join(import.meta.dirname, 'missing'))).toBeNull();
  });

  it('is an error that names the path where it cannot be read', async () => {
    await expect(read(import.meta.dirname)).rejects.toMatchObject({
      code: 'io-failed',
      message: `could not read ${import.meta.dirname}`,
    });
  });
});
