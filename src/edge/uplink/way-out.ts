import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import type { SocketAddress } from '../../quic/types.ts';

/** Time for a router, or for the other machine, to say that there is no way. */
const patienceMs = 2000;

/**
 * Sends one byte to a UDP address. Returns the code with which the system refuses it, such as ENETUNREACH, EPERM, or
 * ECONNREFUSED (that machine says that nothing listens there). Null where nothing says so.
 */
export async function wayOut({ ip, port }: SocketAddress, clock: Clock): Promise<string | null> {
  const socket = createSocket(isIPv6(ip) ? 'udp6' : 'udp4');
  const refusal = Promise.withResolvers<string | null>();
  const check = (error?: unknown): void => {
    if (error instanceof Error) refusal.resolve('code' in error ? String(error.code) : error.message);
  };
  const late = clock.setTimeout(() => refusal.resolve(null), patienceMs);
  socket.on('error', check);
  // Connected, because only then does the system hand on what ICMP says of the port. Node hands on that there is no way
  // there, though its types leave that out.
  socket.connect(port, ip, (error?: unknown) => {
    if (error instanceof Error) check(error);
    else socket.send(Buffer.alloc(1), check);
  });
  try {
    return await refusal.promise;
  } finally {
    late.cancel();
    socket.close();
  }
}

const words: Readonly<Record<string, string>> = {
  EACCES: 'this machine does not let UDP out (EACCES)',
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  EHOSTUNREACH: 'there is no way to that machine (EHOSTUNREACH)',
  ENETUNREACH: 'this machine has no route there (ENETUNREACH)',
  EPERM: 'this machine does not let UDP out (EPERM)',
};

/** A code of `wayOut`, for people. */
export function refusalWords(code: string): string {
  return words[code] ?? `the system refuses to send there (${code})`;
}
