import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { addressUnavailable } from '../../lib/address-unavailable.ts';
import { formatHostPort, type HostPort } from '../../lib/host-port.ts';

/** Carries datagrams: a UDP socket, or a tunnel of this edge. Addresses are IP literals. */
export interface DatagramSocket {
  /** `ip:port` of this end, for people. */
  readonly localAddress: string;
  /** Fire and forget: what cannot be sent now is lost, as on the network. */
  send(packet: Buffer, port: number, address: string): void;
  /** Resolves once the address is free again. Idempotent. */
  close(): Promise<void>;
}

export interface DatagramObserver {
  /** The buffer is the receiver's to keep and to change. */
  onMessage(packet: Buffer, address: string, port: number): void;
  /** The socket is unusable. */
  onError(error: Error): void;
}

export interface DatagramSocketSettings {
  /** Null takes any free port. A multicast group is joined. */
  readonly bindAddr: HostPort | null;
  /** The interface to join a group on, or to send to one from. */
  readonly interfaceAddr: string | null;
  /** The family where `bindAddr` does not say. */
  readonly ipv6: boolean;
}

/** Asked of the kernel, which may grant less: room for a key frame's burst while the loop is busy. */
const bufferBytes = 4 * 1_048_576;

/** Opens a UDP socket. Rejects with AppError `address-unavailable`. */
export async function openDatagramSocket(
  { bindAddr, interfaceAddr, ipv6 }: DatagramSocketSettings,
  observer: DatagramObserver,
): Promise<DatagramSocket> {
  const v6 = bindAddr === null ? ipv6 : isIPv6(bindAddr.host);
  const group = bindAddr !== null && isMulticast(bindAddr.host);
  const socket = createSocket({
    type: v6 ? 'udp6' : 'udp4',
    ipv6Only: v6,
    reuseAddr: group,
    recvBufferSize: bufferBytes,
    sendBufferSize: bufferBytes,
    // Literal addresses only: looked up at once, not in a later turn of the event loop for each packet.
    lookup: (host, _options, callback) => callback(null, host, v6 ? 6 : 4),
  });
  try {
    await bound(socket, bindAddr);
    if (group) socket.addMembership(bindAddr.host, interfaceAddr ?? undefined);
    else if (interfaceAddr !== null) socket.setMulticastInterface(interfaceAddr);
  } catch (error) {
    socket.close();
    const name = bindAddr === null ? 'a UDP port' : `UDP ${formatHostPort(bindAddr)}`;
    throw addressUnavailable(`cannot listen on ${name}`, error);
  }
  socket.on('message', (packet, { address, port }) => observer.onMessage(packet, address, port));
  socket.on('error', (error) => observer.onError(error));
  return new UdpSocket(socket);
}

class UdpSocket implements DatagramSocket {
  readonly localAddress: string;
  readonly #socket: Socket;
  #closed: Promise<void> | null = null;

  constructor(socket: Socket) {
    const { address, port } = socket.address();
    this.localAddress = formatHostPort({ host: address, port });
    this.#socket = socket;
  }

  send(packet: Buffer, port: number, address: string): void {
    // Without a callback Node drops the error of a send: it is a lost packet, and a callback costs a turn of its own.
    if (this.#closed === null) this.#socket.send(packet, port, address);
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#socket.close(() => resolve()));
    return this.#closed;
  }
}

function bound(socket: Socket, bindAddr: HostPort | null): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ port: bindAddr?.port ?? 0, ...(bindAddr !== null && { address: bindAddr.host }) }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

function isMulticast(host: string): boolean {
  return isIPv6(host) ? /^ff/i.test(host) : /^(22[4-9]|23\d)\./.test(host);
}
