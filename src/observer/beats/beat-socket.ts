import { chmod, lstat, unlink } from 'node:fs/promises';
import process from 'node:process';
import { AppError } from '../../lib/app-error.ts';
import { openWithQueue, queueLength } from '../../posix/beat-queue.ts';
import { POSIX, type Libc } from '../../posix/libc.ts';
import { connectTo, openDatagramSocket, unixAddress } from '../../posix/unix-datagram.ts';

export interface BeatSocketSettings {
  readonly path: string;
  /** Of the file; the umask does not apply. */
  readonly mode: number;
  /** Asked of the kernel; 0 leaves its default. */
  readonly receiveBufferBytes: number;
}

/** A UNIX datagram socket whose datagrams come with their sender's credentials; not bound yet. */
export interface BeatSocket {
  readonly fd: number;
  /** What the kernel granted. */
  readonly receiveBufferBytes: number;
  /** So many datagrams wait in it at most. */
  readonly queueLength: number;
  /** From a systemd socket unit: it outlives the observer. */
  readonly inherited: boolean;
  /** From here on agents reach it. Rejects with AppError `unavailable` that names the path and what is wrong there. */
  bind(): Promise<void>;
  /** Closes it and removes its file, if that is still this socket's. */
  close(): Promise<void>;
}

const ECONNREFUSED = 111;
const EPROTOTYPE = 91;
/** The first descriptor that systemd hands over (sd_listen_fds(3)). */
const firstListenFd = 3;
/** So that the thread looks up now and then; a stop wakes it anyway. */
const receiveTimeoutMs = 500;
/** As under systemd. With Linux's own 10, agents that beat at one instant are refused. */
const wantedQueue = 512;

/** Takes the socket that systemd handed over, or opens one. Throws AppError `unavailable`. */
export function openBeatSocket(libc: Libc, settings: BeatSocketSettings): BeatSocket {
  const inherited = inheritedSocket(libc);
  const longQueue = inherited === null && queueLength() < wantedQueue ? openWithQueue(libc, wantedQueue) : null;
  const fd = inherited ?? longQueue ?? openDatagramSocket(libc);
  if (fd === null) throw new AppError('unavailable', `no UNIX socket can be opened (errno ${libc.errno()})`);
  // Before the bind: no datagram without credentials may wait in the queue.
  const receiveBufferBytes = prepare(libc, fd, settings);
  let ours: { readonly dev: number; readonly ino: number } | null = null;
  return {
    fd,
    receiveBufferBytes,
    // Linux takes a datagram while no more than the length wait.
    queueLength: (longQueue === null ? queueLength() : wantedQueue) + 1,
    inherited: inherited !== null,
    async bind() {
      if (inherited !== null) return;
      await clearPath(libc, settings.path);
      bindPrivately(libc, fd, settings.path);
      ours = await lstat(settings.path);
      await chmod(settings.path, settings.mode);
    },
    async close() {
      libc.close(fd);
      if (ours !== null) await removeOwn(settings.path, ours);
    },
  };
}

function inheritedSocket(libc: Libc): number | null {
  const { LISTEN_FDS: count, LISTEN_PID: pid } = process.env;
  if (count === undefined || pid !== String(process.pid)) return null;
  if (count !== '1') {
    throw new AppError('unavailable', `systemd handed over ${count} sockets; the unit must name one ListenDatagram=`);
  }
  const type = new Uint8Array(4);
  const length = new Uint8Array([4, 0, 0, 0]);
  const failed = libc.getsockopt(firstListenFd, POSIX.SOL_SOCKET, POSIX.SO_TYPE, type, length) < 0;
  if (failed || type[0] !== POSIX.SOCK_DGRAM) {
    throw new AppError('unavailable', 'the socket from systemd takes no datagrams; use ListenDatagram= in its unit');
  }
  return firstListenFd;
}

async function clearPath(libc: Libc, path: string): Promise<void> {
  if (unixAddress(path) === null) {
    throw new AppError('unavailable', `socket ${path} is too long: a UNIX socket path has at most 107 bytes`);
  }
  const stats = await lstat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new AppError('unavailable', `socket ${path} cannot be used`, { cause: error });
  });
  if (stats === null) return;
  if (!stats.isSocket()) {
    const what = stats.isDirectory() ? 'a folder' : stats.isSymbolicLink() ? 'a symbolic link' : 'a file';
    throw new AppError('unavailable', `socket ${path} is ${what}, and is left alone; choose another path`);
  }
  const errno = probe(libc, path);
  if (errno === ECONNREFUSED) await unlink(path);
  else throw new AppError('unavailable', `socket ${path} ${inUse(errno)}`);
}

function inUse(errno: number): string {
  if (errno === 0) return 'is taken: another observer runs here';
  if (errno === EPROTOTYPE) return 'belongs to a running program that takes streams; choose another path';
  return `cannot be examined (errno ${errno}); remove it or choose another path`;
}

/** Sends nothing. */
function probe(libc: Libc, path: string): number {
  const fd = openDatagramSocket(libc);
  if (fd === null) return libc.errno();
  const errno = connectTo(libc, fd, path);
  libc.close(fd);
  return errno;
}

function bindPrivately(libc: Libc, fd: number, path: string): void {
  const address = unixAddress(path) ?? new Uint8Array();
  const before = process.umask(0o177);
  const errno = libc.bind(fd, address, address.length) < 0 ? libc.errno() : 0;
  process.umask(before);
  if (errno === 0) return;
  const reason = errno === 2 ? 'its folder does not exist' : errno === 13 ? 'permission denied' : `errno ${errno}`;
  throw new AppError('unavailable', `socket ${path} cannot be bound: ${reason}`);
}

function prepare(libc: Libc, fd: number, { receiveBufferBytes }: BeatSocketSettings): number {
  setNumber(libc, fd, POSIX.SO_PASSCRED, 1);
  setNumber(libc, fd, POSIX.SO_TIMESTAMPNS, 1);
  if (receiveBufferBytes > 0) setNumber(libc, fd, POSIX.SO_RCVBUF, receiveBufferBytes);
  const timeout = new BigInt64Array([0n, BigInt(receiveTimeoutMs * 1000)]);
  libc.setsockopt(fd, POSIX.SOL_SOCKET, POSIX.SO_RCVTIMEO, new Uint8Array(timeout.buffer), timeout.byteLength);
  const granted = new Uint8Array(4);
  libc.getsockopt(fd, POSIX.SOL_SOCKET, POSIX.SO_RCVBUF, granted, new Uint8Array([4, 0, 0, 0]));
  return new DataView(granted.buffer).getInt32(0, true);
}

function setNumber(libc: Libc, fd: number, name: number, value: number): void {
  const bytes = new Uint8Array(new Int32Array([value]).buffer);
  if (libc.setsockopt(fd, POSIX.SOL_SOCKET, name, bytes, bytes.length) < 0) {
    throw new AppError('unavailable', `socket option ${name} cannot be set (errno ${libc.errno()})`);
  }
}

async function removeOwn(path: string, { dev, ino }: { readonly dev: number; readonly ino: number }): Promise<void> {
  const now = await lstat(path).catch(() => null);
  if (now !== null && now.dev === dev && now.ino === ino) await unlink(path);
}
