import { isIP } from 'node:net';
import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { HostPort } from '../../lib/host-port.ts';
import { settledWithin } from '../../lib/settled-within.ts';
import type { LocalTcp, LocalTcpConnectHandler, LocalTcpSocket } from '../../quic/local-sockets.ts';
import type { SocketAddress } from '../../quic/types.ts';

/** Where a local program is now. Rejects with AppError `address-unavailable`, or as the system's lookup does. */
export type LookUp = (address: HostPort) => Promise<SocketAddress>;

export interface LookUpDependencies {
  readonly clock: Clock;
  /** Literal addresses of a host name; rejects when there is none. */
  readonly resolveHost: (host: string) => Promise<readonly string[]>;
}

const deadlineMs = 5000;

/** Names are looked up each time, since a container has another address after each start. */
export function createLookUp({ clock, resolveHost }: LookUpDependencies): LookUp {
  return async ({ host, port }) => {
    if (isIP(host) !== 0) return { ip: host, port };
    const addresses = resolveHost(host);
    if (!(await settledWithin(clock, addresses, deadlineMs))) {
      throw new AppError('address-unavailable', `no DNS server answers for ${host} within ${deadlineMs / 1000} s`);
    }
    const [ip] = await addresses;
    if (ip === undefined) throw new AppError('address-unavailable', `${host} has no address`);
    return { ip, port };
  };
}

/** `tcp.connect` for an address that may have a name; a name that cannot be looked up is `onFailed`. */
export function connectTo(
  address: HostPort,
  handler: LocalTcpConnectHandler,
  { lookUp, tcp }: { readonly lookUp: LookUp; readonly tcp: Pick<LocalTcp, 'connect'> },
): LocalTcpSocket {
  if (isIP(address.host) !== 0) return tcp.connect({ ip: address.host, port: address.port }, handler);
  let isWanted = true;
  let socket: LocalTcpSocket | null = null;
  const connect = (found: SocketAddress): void => {
    if (isWanted) socket = tcp.connect(found, handler);
  };
  const fail = (error: unknown): void => {
    if (isWanted) handler.onFailed(error instanceof Error ? error : new Error(String(error)));
  };
  lookUp(address).then(connect, fail);
  return {
    join(...joined) {
      if (socket === null) throw new AppError('bug', 'a local connection was joined before it was made');
      return socket.join(...joined);
    },
    reset() {
      isWanted = false;
      socket?.reset();
    },
  };
}
