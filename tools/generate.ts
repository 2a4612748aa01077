import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generatedFiles } from './generated-files.ts';

const repository = join(import.meta.dirname, '..');

for (const [path, content] of await generatedFiles()) await writeFile(join(repository, path), content);
