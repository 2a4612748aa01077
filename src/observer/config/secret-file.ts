import { open } from 'node:fs/promises';
import { constants } from 'node:fs';
import process from 'node:process';
import { AppError } from '../../lib/app-error.ts';
import type { BeatKeys } from '../beats/beat-opener.ts';
import type { ObserverConfig } from './observer-config.ts';

const maxBytes = 64 * 1024;

/**
 * The text of a file that must be secret: a regular file of ours, mode 0600 or stricter, no symbolic link. Rejects with
 * AppError `unavailable` that names key and path.
 */
export async function readSecretFile(key: string, path: string): Promise<string> {
  const refuse = (problem: string, cause?: unknown): AppError =>
    new AppError('unavailable', `${key} ${path} ${problem}`, { cause });
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (cause: unknown) => {
      throw refuse((cause as NodeJS.ErrnoException).code === 'ELOOP' ? 'is a symbolic link' : 'cannot be read', cause);
    },
  );
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw refuse('is no regular file');
    if (stats.uid !== process.getuid?.()) throw refuse('belongs to another user; make it ours with chown');
    if ((stats.mode & 0o077) !== 0) throw refuse('can be read by other users; use chmod 0600');
    if (stats.size > maxBytes) throw refuse(`is larger than ${maxBytes} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** The one key or token in a file. Rejects as `readSecretFile` does. */
export async function readHexSecret(key: string, path: string): Promise<string> {
  const [secret, ...more] = hexLines(key, path, await readSecretFile(key, path));
  if (secret === undefined || more.length > 0) throw new AppError('unavailable', `${key} ${path} must hold one key`);
  return secret;
}

/** The keys of a config; null without any. Rejects as `readSecretFile` does. */
export async function readBeatKeys(config: ObserverConfig): Promise<BeatKeys | null> {
  const { key_file: one, accepted_key_file: several, master_key_file: master } = config;
  if (one === null && several === null && master === null) return null;
  const accepted =
    several === null ? [] : hexLines('accepted_key_file', several, await readSecretFile('accepted_key_file', several));
  return {
    shared: [...(one === null ? [] : [await readHexSecret('key_file', one)]), ...accepted].map(toKey),
    master: master === null ? [] : [toKey(await readHexSecret('master_key_file', master))],
  };
}

/** One secret a line; # begins a comment. */
function hexLines(key: string, path: string, content: string): string[] {
  const lines = content.split('\n').map((line) => line.replace(/#.*/, '').trim());
  return lines.flatMap((line, index) => {
    if (line === '') return [];
    if (/^[0-9a-f]{64}$/i.test(line)) return [line];
    throw new AppError('unavailable', `${key} ${path}: line ${index + 1} is not 64 hex digits`);
  });
}

function toKey(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}
