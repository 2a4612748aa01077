import { randomBytes } from 'node:crypto';
import { open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from './app-error.ts';
import { isMissing } from './read-if-there.ts';

/** What replacing a file needs of a file system; a test puts failing calls in its place. */
export interface FileSystem {
  open(path: string, flags: 'r' | 'wx', mode?: number): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Null where there is no file. */
  accessOf(path: string): Promise<FileAccess | null>;
  /** The path with every symbolic link followed. */
  realPath(path: string): Promise<string>;
}

/** Access rights of a file. */
export interface FileAccess {
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
}

export interface OpenFile {
  writeFile(data: string | Uint8Array): Promise<void>;
  chown(uid: number, gid: number): Promise<void>;
  chmod(mode: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export const realFileSystem: FileSystem = {
  open,
  rename,
  unlink,
  async accessOf(path) {
    try {
      const { uid, gid, mode } = await stat(path);
      return { uid, gid, mode: mode & 0o777 };
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  },
  realPath: (path) => realpath(path),
};

/**
 * Replaces the file at `path` so that a reader, or a machine that loses power, finds the old content or the new and
 * never a part. Keeps mode and owner of an existing file, and a symbolic link to it; a new file is 0600. Rejects with
 * an AppError `io-failed`; the old content is then still in place. If only the last step failed (syncing the
 * directory), the new content is in place but may not survive a power loss.
 */
export async function writeFileAtomically(
  path: string,
  data: string | Uint8Array,
  fileSystem: FileSystem = realFileSystem,
): Promise<void> {
  try {
    await replace(path, data, fileSystem);
  } catch (error) {
    throw new AppError('io-failed', `could not write ${path}`, { cause: error });
  }
}

async function replace(path: string, data: string | Uint8Array, fileSystem: FileSystem): Promise<void> {
  const access = await fileSystem.accessOf(path);
  const target = access === null ? path : await fileSystem.realPath(path);
  const directory = dirname(target);
  // In the same directory, because a rename across file systems is not atomic; unguessable, because it may be shared.
  const temporary = join(directory, `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await writeSynced(fileSystem, temporary, data, access);
    await fileSystem.rename(temporary, target);
  } catch (error) {
    const discardError = await discard(fileSystem, temporary);
    if (discardError === null) throw error;
    throw new AggregateError([error, discardError], `and ${temporary} is left behind`, { cause: error });
  }
  await syncDirectory(fileSystem, directory);
}

async function writeSynced(
  fileSystem: FileSystem,
  path: string,
  data: string | Uint8Array,
  access: FileAccess | null,
): Promise<void> {
  const file = await fileSystem.open(path, 'wx', 0o600);
  try {
    await file.writeFile(data);
    if (access !== null) await keepOwner(file, access);
    // Again: the umask narrows the mode that open() gets, and a change of owner may clear bits of it.
    await file.chmod(access?.mode ?? 0o600);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A config that root's command has replaced must still be readable for the service that it belongs to. */
async function keepOwner(file: OpenFile, { uid, gid }: FileAccess): Promise<void> {
  try {
    await file.chown(uid, gid);
  } catch {
    // Only root can give files away: whoever else replaces one owns it, as with any editor.
  }
}

/** Removes a temporary file that did not become the real one; returns the error, or null. */
async function discard(fileSystem: FileSystem, temporary: string): Promise<Error | null> {
  try {
    if ((await fileSystem.accessOf(temporary)) !== null) await fileSystem.unlink(temporary);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error), { cause: error });
  }
}

/** Makes the rename itself durable. */
async function syncDirectory(fileSystem: FileSystem, directory: string): Promise<void> {
  const handle = await fileSystem.open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
