import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readJsonFile } from '../../../src/config/json-file.ts';

describe('a JSON file', () => {
  let folder = '';
  let path = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'adit-json-'));
    path = join(folder, 'config.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is read as it is written', async () => {
    writeFileSync(path, '{"a": [1]}');
    expect(await readJsonFile(path)).toEqual({ a: [1] });
  });

  it('may begin with the mark that some editors write', async () => {
    writeFileSync(path, '\uFEFF{"a": 1}\r\n');
    expect(await readJsonFile(path)).toEqual({ a: 1 });
  });

  it.each([
    ['', 'it is empty'],
    ['{\n"node_secret": "hunter2",\n}', 'line 2 ends with a comma that nothing follows'],
    ['{"node_secret": "hunter2"', 'check commas, quotes and brackets at line 1, column 26, or just before it'],
    [
      '{\n"node_secret": "hunter2"\n"a": 1}',
      'check commas, quotes and brackets at line 3, column 1, or just before it',
    ],
    ['{"node_secret": hunter2}', 'check commas, quotes and brackets'],
    ['{\n  // hunter2\n"a": 1}', 'it has a comment, and JSON knows none: remove it'],
  ])('that is not JSON is named with what to mend and never quoted: %j', async (text, problem) => {
    writeFileSync(path, text);
    await expect(readJsonFile(path)).rejects.toMatchObject({
      code: 'config-invalid',
      message: `${path} is not JSON; ${problem}`,
    });
  });

  it('that is missing is named', async () => {
    await expect(readJsonFile(path)).rejects.toMatchObject({
      code: 'config-invalid',
      message: `could not read the config file ${path}`,
    });
  });
});
