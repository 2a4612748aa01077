import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../../lib/app-error.ts';
import { writeFileAtomically } from '../../lib/atomic-file.ts';
import type { Random } from '../../lib/random.ts';
import { readIfThere } from '../../lib/read-if-there.ts';

const keyBytes = 32;
const form = /^[0-9a-f]{64}$/i;

/**
 * The master key: `ADIT_MASTER_KEY`, or the file, which is made (mode 0600, synced) where `mayCreate` says so. Rejects
 * with AppError `config-invalid` or `io-failed`; the key itself is never in a message.
 */
export async function loadMasterKey(
  path: string,
  { environment, random, mayCreate }: { environment: string | undefined; random: Random; mayCreate: boolean },
): Promise<Uint8Array> {
  if (environment !== undefined) return parse(environment, 'ADIT_MASTER_KEY');
  const text = await readIfThere(path, () => readFile(path, 'utf8'));
  if (text !== null) return parse(text.trim(), path);
  if (!mayCreate) {
    const mend = 'give it as ADIT_MASTER_KEY or put the file back';
    throw new AppError('config-invalid', `there is no master key at ${path}: ${mend}`);
  }
  const key = random.bytes(keyBytes);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFileAtomically(path, `${Buffer.from(key).toString('hex')}\n`);
  return key;
}

function parse(text: string, source: string): Uint8Array {
  if (!form.test(text)) throw new AppError('config-invalid', `${source} does not hold 64 hex digits`);
  return Buffer.from(text, 'hex');
}
