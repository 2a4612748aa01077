import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const crate = join(import.meta.dirname, '../native');

/** FNV-1a over the sources that native/boundary.txt names, exactly as native/build.rs computes it. */
export function boundaryDigest(): string {
  const entries = readFileSync(join(crate, 'boundary.txt'), 'utf8').trimEnd().split('\n');
  let digest = 0x811c9dc5;
  for (const file of entries.flatMap(filesOf)) {
    for (const byte of readFileSync(join(crate, file))) digest = Math.imul(digest ^ byte, 0x01000193);
  }
  return (digest >>> 0).toString(16).padStart(8, '0');
}

/** The file, or those of the folder in the order of their names. */
function filesOf(entry: string): string[] {
  if (statSync(join(crate, entry)).isFile()) return [entry];
  return readdirSync(join(crate, entry))
    .toSorted()
    .map((name) => join(entry, name));
}
