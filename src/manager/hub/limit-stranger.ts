import type { Duplex } from 'node:stream';

/** The first frame has 16 KiB at most; there is room for some more that a hasty node sends behind it. */
const mostBytes = 65_536;

/**
 * Cuts a socket that sends more than nodes do before they are let in: a frame is kept in memory until it is whole, and
 * strangers may open many sockets. Returns what ends this.
 */
export function limitStranger(socket: Duplex, isStranger: () => boolean): () => void {
  let bytes = 0;
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > mostBytes && isStranger()) socket.destroy();
  };
  socket.on('data', count);
  return () => void socket.off('data', count);
}
