import { POSIX, type Libc } from './libc.ts';

/** `sun_path` with its closing zero. */
const maxPathBytes = 107;

/** struct sockaddr_un; null for a path that does not fit. */
export function unixAddress(path: string): Uint8Array | null {
  const text = Buffer.from(path);
  if (text.length === 0 || text.length > maxPathBytes || text.includes(0)) return null;
  const address = new Uint8Array(2 + text.length + 1);
  address[0] = POSIX.AF_UNIX;
  address.set(text, 2);
  return address;
}

/** A new datagram socket; null with `errno()` set when there is none. */
export function openDatagramSocket(libc: Libc): number | null {
  const fd = libc.socket(POSIX.AF_UNIX, POSIX.SOCK_DGRAM | POSIX.SOCK_CLOEXEC, 0);
  return fd < 0 ? null : fd;
}

/** Sends without waiting. Returns 0 or the errno. */
export function sendNow(libc: Libc, fd: number, data: Uint8Array): number {
  const sent = libc.send(fd, data, data.length, POSIX.MSG_DONTWAIT | POSIX.MSG_NOSIGNAL);
  return sent < 0 ? libc.errno() : 0;
}

/** Connects a datagram socket to a path. Returns 0 or the errno; ENAMETOOLONG for a path that does not fit. */
export function connectTo(libc: Libc, fd: number, path: string): number {
  const address = unixAddress(path);
  if (address === null) return 36;
  return libc.connect(fd, address, address.length) < 0 ? libc.errno() : 0;
}
