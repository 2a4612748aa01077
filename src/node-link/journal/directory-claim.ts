import { mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { AppError } from '../../lib/app-error.ts';

/**
 * Makes a directory this process's own, until the claim is disposed of or the process is dead: a second one would write
 * into the same files. Throws AppError `io-failed`. Without /proc no other process is kept out.
 */
export function claimDirectory(directory: string): Disposable {
  const path = join(directory, 'lock');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (let holder = claim(path); holder !== null; holder = claim(path)) {
      if (isAlive(holder)) throw inUse(directory, holder);
      rmSync(path, { force: true });
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('io-failed', `cannot keep state in ${directory}`, { cause });
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

/**
 * Null, or the process that has the claim already. A symbolic link, because it is there with its text or not at all,
 * and needs no room on a full disk.
 */
function claim(path: string): string | null {
  try {
    symlinkSync(`${process.pid} ${startOf(process.pid) ?? 0}`, path);
    return null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return readlinkSync(path);
    throw error;
  }
}

/** Another process may have the number of a dead one by now, but did not start when that one did. */
function isAlive(holder: string): boolean {
  const [pid, start] = holder.split(' ');
  return start !== undefined && startOf(Number(pid)) === start;
}

/** When a process started, in ticks since the machine did; null when none with this number runs. */
function startOf(pid: number): string | null {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Fields 3 to 52 of proc(5): the second is a name in brackets, which may hold anything.
    const fields = status.slice(status.lastIndexOf(') ') + 2).split(' ');
    const [state, start] = [fields[0], fields[19]];
    // A zombie has ended; its parent has not collected it yet.
    return state === 'Z' ? null : (start ?? null);
  } catch {
    return null;
  }
}

function inUse(directory: string, holder: string): AppError {
  const [pid] = holder.split(' ');
  const remedy = 'stop that one or set another state_dir';
  return new AppError('io-failed', `${directory} is in use by another adit, process ${pid}: ${remedy}`);
}
