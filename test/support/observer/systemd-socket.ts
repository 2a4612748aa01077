import { loadLibc, POSIX } from '../../../src/posix/libc.ts';
import { openDatagramSocket, unixAddress } from '../../../src/posix/unix-datagram.ts';

/** A socket as a unit with ListenDatagram= and PassCredentials=yes makes it: its descriptor, to be handed over. */
export async function systemdSocket(path: string): Promise<Disposable & { readonly fd: number }> {
  const libc = await loadLibc();
  const fd = openDatagramSocket(libc) ?? -1;
  const address = unixAddress(path) ?? new Uint8Array();
  libc.setsockopt(fd, POSIX.SOL_SOCKET, POSIX.SO_PASSCRED, new Uint8Array([1, 0, 0, 0]), 4);
  if (libc.bind(fd, address, address.length) < 0) throw new Error(`cannot bind ${path} (errno ${libc.errno()})`);
  return { fd, [Symbol.dispose]: () => void libc.close(fd) };
}
