import { join } from 'node:path';
import { mkdir, readFile } from 'node:fs/promises';
import { AppError } from '../../lib/app-error.ts';
import { writeFileAtomically } from '../../lib/atomic-file.ts';
import type { Random } from '../../lib/random.ts';
import { readIfThere } from '../../lib/read-if-there.ts';

const fileName = 'reset.key';
const keyBytes = 32;

/**
 * The key of stateless resets (RFC 9000 §10.3), made once and kept in `stateDir`. With it a restarted relay can end the
 * connections of its predecessor. Rejects with AppError `io-failed`; a file of another length was not written by us and
 * is one too.
 */
export async function keepResetKey(stateDir: string, random: Random): Promise<Uint8Array> {
  const path = join(stateDir, fileName);
  const kept = await readIfThere(path, () => readFile(path));
  if (kept?.length === keyBytes) return kept;
  if (kept !== null) throw new AppError('io-failed', `${path} is not a key of ${keyBytes} bytes; remove it`);
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new AppError('io-failed', `could not make ${stateDir}; make it writable or set state_dir`, { cause });
  }
  const key = random.bytes(keyBytes);
  await writeFileAtomically(path, key);
  return key;
}
