import { createSocket } from 'node:dgram';
import { parseSocketAddress } from '../lib/socket-address.ts';
import { loadLibc } from '../posix/libc.ts';
import { connectTo, openDatagramSocket, sendNow } from '../posix/unix-datagram.ts';
import type { BeatConfig } from './beat-config.ts';

/** Where beats leave the process. */
export interface BeatDoor {
  /** Hands a beat to the kernel without waiting; false when it took none. */
  send(beat: Uint8Array): boolean;
  close(): void;
}

const EAGAIN = 11;

/** Rejects with AppError `unavailable` when UNIX datagrams cannot be had here. The observer need not run yet. */
export async function openBeatDoor({ socket, udp }: BeatConfig): Promise<BeatDoor> {
  return socket === null ? udpDoor(udp ?? '') : unixDoor(socket);
}

async function unixDoor(path: string): Promise<BeatDoor> {
  const libc = await loadLibc();
  let fd: number | null = null;
  const close = (): void => {
    if (fd !== null) libc.close(fd);
    fd = null;
  };
  const connect = (): boolean => {
    fd = openDatagramSocket(libc);
    if (fd !== null && connectTo(libc, fd, path) === 0) return true;
    close();
    return false;
  };
  return {
    send(beat) {
      if (fd === null && !connect()) return false;
      const errno = fd === null ? EAGAIN : sendNow(libc, fd, beat);
      // The observer is away or has another socket now. A full queue is no reason to connect again.
      if (errno !== 0 && errno !== EAGAIN) close();
      return errno === 0;
    },
    close,
  };
}

function udpDoor(address: string): BeatDoor {
  const { ip = '127.0.0.1', port = 0 } = parseSocketAddress(address) ?? {};
  const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4');
  // If the observer is away, ICMP reports that; the next beat tries again.
  socket.on('error', () => undefined);
  socket.unref();
  return {
    send(beat) {
      socket.send(beat, port, ip, () => undefined);
      return true;
    },
    close: () => void socket.close(),
  };
}
