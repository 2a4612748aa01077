import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { AppError } from '../../lib/app-error.ts';
import { formatHostPort, type HostPort } from '../../lib/host-port.ts';

/** Whom an answer goes to. */
export interface Sender {
  readonly address: string;
  readonly port: number;
}

export interface LocalUdpObserver {
  /** `sender` is null where it named port 0, which cannot be answered: Node throws when it is asked to. */
  onMessage(payload: Uint8Array, sender: Sender | null): void;
  /** A send was refused, or the kernel passed on an ICMP error; the socket lives. */
  onError(error: Error): void;
}

/** Asked of the kernel, which may grant less: room for a burst while the event loop is busy. */
const receiveBufferBytes = 4 * 1_048_576;

/**
 * A UDP socket that listens on (`bind`) or speaks only with (`connect`) `address`.
 * Rejects with AppError `address-unavailable`.
 */
export async function openLocalUdpSocket(
  mode: 'bind' | 'connect',
  address: HostPort,
  observer: LocalUdpObserver,
): Promise<Socket> {
  const v6 = isIPv6(address.host);
  const socket = createSocket({
    type: v6 ? 'udp6' : 'udp4',
    ipv6Only: v6,
    recvBufferSize: receiveBufferBytes,
    // Literal addresses only: answered at once instead of in a later turn of the event loop for each packet.
    lookup: (host, _options, callback) => callback(null, host, isIPv6(host) ? 6 : 4),
  });
  try {
    await taken(socket, mode, address);
  } catch (error) {
    socket.close();
    throw new AppError('address-unavailable', `cannot ${mode} UDP ${formatHostPort(address)}`, { cause: error });
  }
  socket.on('message', (payload, { address: ip, port }) => {
    observer.onMessage(payload, port === 0 ? null : { address: ip, port });
  });
  socket.on('error', (error) => observer.onError(error));
  return socket;
}

/** Closes the socket and waits until it is gone. */
export function closeLocalUdpSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(resolve));
}

function taken(socket: Socket, mode: 'bind' | 'connect', { host, port }: HostPort): Promise<void> {
  return new Promise((resolve, reject) => {
    // A failed `connect` tells its callback and nobody else (node:dgram, socket.connect).
    const finish = (error?: Error): void => {
      socket.off('error', reject);
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.once('error', reject);
    if (mode === 'bind') socket.bind({ address: host, port }, finish);
    else socket.connect(port, host, finish);
  });
}
