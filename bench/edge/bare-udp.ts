import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { QuicStream, SocketAddress } from '../../src/quic/types.ts';
import { formatSocketAddress } from '../../src/lib/socket-address.ts';
import { socketAddress } from './edge-transport.ts';
import { noTunnel, type Path, type PathGroup } from './path-group.ts';

const host = '127.0.0.1';
const bufferBytes = 4 * 1024 * 1024;
const greetingEveryMs = 50;

/** Datagrams in packets of their own, nothing around them: the floor under every relay. */
export class BareUdpPath implements Path {
  readonly prefix = noTunnel;
  readonly isReady = true;
  readonly generation = 1;
  readonly #socket: Socket;
  readonly #remote: SocketAddress | null;

  /** Without `remote` it only receives. */
  constructor(socket: Socket, remote: SocketAddress | null) {
    this.#socket = socket;
    this.#remote = remote;
  }

  send(datagram: Uint8Array): void {
    // Node holds the buffer until the packet has left, and the caller uses it again at once.
    if (this.#remote !== null) this.#socket.send(Buffer.from(datagram), this.#remote.port, this.#remote.ip);
  }

  openStream(): QuicStream {
    throw new Error('bare UDP has no streams');
  }
}

export async function bindUdpSocket(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: bufferBytes, sendBufferSize: bufferBytes });
  socket.bind(0, host);
  await once(socket, 'listening');
  return socket;
}

export function addressOf(socket: Socket): string {
  const { address, port } = socket.address();
  return formatSocketAddress({ ip: address, port });
}

/** A path through the plain relay, which sends the greeting back once it knows this end. */
export async function openBareUdp(group: PathGroup, relay: string, greeting: string): Promise<string> {
  const socket = await bindUdpSocket();
  const remote = socketAddress(relay);
  const path = new BareUdpPath(socket, remote);
  group.paths.push(path);
  const timer = setInterval(() => socket.send(greeting, remote.port, remote.ip), greetingEveryMs);
  const greeted = new Promise<void>((resolve) => {
    socket.on('message', (packet) => {
      if (packet.length > greeting.length) group.receiver.onDatagram(packet, path);
      else resolve();
    });
  });
  await greeted;
  clearInterval(timer);
  return addressOf(socket);
}
