import type { Duplex } from 'node:stream';

/** The first frame has 16 KiB at most; there is room for some more that a hasty node sends behind it. */
const mostBytes = 65_536;

/**
 * Destroys a socket that sends more than a node does before it is authenticated: a frame is kept in memory until it is
 * whole, and an unauthenticated peer may open many sockets. Returns the function that lifts the limit.
 */
export function limitUnauthenticated(socket: Duplex, isAuthenticated: () => boolean): () => void {
  let bytes = 0;
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > mostBytes && !isAuthenticated()) socket.destroy();
  };
  socket.on('data', count);
  return () => void socket.off('data', count);
}
