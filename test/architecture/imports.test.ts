import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importViolations } from '../support/import-violations.ts';
import { importTable, layerRules, purityRules } from './import-rules.ts';

const repository = resolve(import.meta.dirname, '../..');

describe('the imports of this repository', () => {
  it('keep to the table, to the homes of packages, and go in no circle', async () => {
    const folders = ['src', 'test', 'bench'].filter((folder) => existsSync(join(repository, folder)));
    const { violations, modules } = await importViolations(layerRules, {
      baseDir: repository,
      folders,
      typeImports: true,
    });
    expect(violations).toEqual([]);
    expect(modules).toBeGreaterThan(40);
  });

  it('keep I/O out of what only decides', async () => {
    const options = { baseDir: repository, folders: ['src'], typeImports: false };
    expect((await importViolations(purityRules, options)).violations).toEqual([]);
  });

  it('are ruled for every folder of src', async () => {
    const names = (await readdir(join(repository, 'src'))).map((name) => name.replace(/[.]ts$/, ''));
    expect(names.filter((name) => !(name in importTable))).toEqual([]);
  });
});
