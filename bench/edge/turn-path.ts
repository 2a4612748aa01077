import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:dgram';
import type { QuicStream, SocketAddress } from '../../src/quic/types.ts';
import { addressOf, BareUdpPath, bindUdpSocket } from './bare-udp.ts';
import { socketAddress } from './edge-transport.ts';
import { noTunnel, type Path, type PathGroup } from './path-group.ts';
import { allocateRequest, channelBindRequest, channelData, readAnswer, stunRequest } from './stun.ts';

const transactionBytes = 12;
const askAgainMs = 100;

/** Datagrams through a channel of a TURN server. */
class TurnPath implements Path {
  readonly prefix = noTunnel;
  readonly isReady = true;
  readonly generation = 1;
  readonly #socket: Socket;
  readonly #server: SocketAddress;

  constructor(socket: Socket, server: SocketAddress) {
    this.#socket = socket;
    this.#server = server;
  }

  send(datagram: Uint8Array): void {
    this.#socket.send(channelData(datagram), this.#server.port, this.#server.ip);
  }

  openStream(): QuicStream {
    throw new Error('TURN over UDP has no streams');
  }
}

/** Where the TURN server relays to. */
export async function openTurnPeer(group: PathGroup): Promise<string> {
  const socket = await bindUdpSocket();
  const path = new BareUdpPath(socket, null);
  group.paths.push(path);
  socket.on('message', (packet) => group.receiver.onDatagram(packet, path));
  return addressOf(socket);
}

export async function openTurn(group: PathGroup, relay: string, peer: string): Promise<void> {
  const socket = await bindUdpSocket();
  const server = socketAddress(relay);
  const ask = (type: number, request: (transaction: Uint8Array) => Buffer): Promise<void> => {
    const transaction = randomBytes(transactionBytes);
    const packet = request(transaction);
    return new Promise((resolve, reject) => {
      const send = (): void => socket.send(packet, server.port, server.ip);
      const timer = setInterval(send, askAgainMs);
      const onMessage = (answer: Buffer): void => {
        const outcome = readAnswer(answer, type, transaction);
        if (outcome === null) return;
        clearInterval(timer);
        socket.off('message', onMessage);
        if (outcome === 'success') resolve();
        else reject(new Error(`the TURN server refused request 0x${type.toString(16)}`));
      };
      socket.on('message', onMessage);
      send();
    });
  };
  await ask(stunRequest.allocate, allocateRequest);
  await ask(stunRequest.channelBind, (transaction) => channelBindRequest(transaction, socketAddress(peer)));
  group.paths.push(new TurnPath(socket, server));
}
