import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { AppError } from '../lib/app-error.ts';
import { POSIX, type Libc } from './libc.ts';
import { openDatagramSocket } from './unix-datagram.ts';

/** Of the network namespace of the thread that asks. */
const setting = '/proc/sys/net/unix/max_dgram_qlen';
const ownNetwork = '/proc/thread-self/ns/net';
/** Linux's own. */
const defaultLength = 10;

/** How many datagrams wait at most in the queue of a UNIX socket that is opened here. */
export function queueLength(): number {
  try {
    return Number(readFileSync(setting, 'latin1'));
  } catch {
    return defaultLength;
  }
}

/**
 * A new datagram socket whose queue holds `length`; null where this process may not have one (it takes CAP_SYS_ADMIN).
 * A socket's queue is as long as its network namespace says when it is opened. Paths are the same in all of them. So
 * the socket is opened in a namespace of its own, and the thread returns. Throws AppError `unavailable` if it cannot.
 */
export function openWithQueue(libc: Libc, length: number): number | null {
  const home = openNamespace();
  if (home === null) return null;
  try {
    if (libc.unshare(POSIX.CLONE_NEWNET) < 0) return null;
    const fd = setQueueLength(length) ? openDatagramSocket(libc) : null;
    if (libc.setns(home, POSIX.CLONE_NEWNET) < 0) {
      throw new AppError('unavailable', `the network namespace cannot be left again (errno ${libc.errno()})`);
    }
    return fd;
  } finally {
    closeSync(home);
  }
}

function openNamespace(): number | null {
  try {
    return openSync(ownNetwork, 'r');
  } catch {
    // A kernel without network namespaces, or no /proc: the queue is as long as it is.
    return null;
  }
}

function setQueueLength(length: number): boolean {
  try {
    writeFileSync(setting, String(length), { flag: 'r+' });
    return true;
  } catch {
    // /proc/sys is read-only in many containers.
    return false;
  }
}
