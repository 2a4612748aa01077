import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatedFiles } from '../../../tools/generated-files.ts';

const repository = join(import.meta.dirname, '../../..');

describe('files that are made from the sources', async () => {
  it.each([...(await generatedFiles())])('%s is current; if not, run: npm run generate', async (path, content) => {
    expect(await readFile(join(repository, path), 'utf8')).toBe(content);
  });
});
