import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { numberedDatagram, readNumbered } from '../support/network/numbered-datagram.ts';

/** Numbers of different tunnels never meet, so a datagram in the wrong tunnel shows. */
const perTunnel = 2 ** 32;

/** One UDP tunnel's two local ends: numbered datagrams go in at one and come out at the other, which echoes them. */
export class UdpTraffic implements AsyncDisposable {
  readonly faults: string[] = [];
  sent = 0;
  arrived = 0;
  returned = 0;
  readonly #tunnel: number;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #arrivedNumbers = new Set<number>();
  readonly #returnedNumbers = new Set<number>();

  private constructor(tunnel: number, near: Socket, far: Socket) {
    this.#tunnel = tunnel;
    this.#near = near;
    this.#far = far;
    far.on('message', (datagram, from) => {
      this.arrived += 1;
      this.#check(datagram, from, this.#arrivedNumbers, 'far end');
      far.send(datagram, from.port, from.address, () => {});
    });
    near.on('message', (datagram, from) => {
      this.returned += 1;
      this.#check(datagram, from, this.#returnedNumbers, 'near end');
    });
    // A tunnel whose edge is dead refuses packets; they are lost then.
    for (const socket of [near, far]) socket.on('error', () => {});
  }

  static async open(tunnel: number, localIp: string): Promise<UdpTraffic> {
    return new UdpTraffic(tunnel, await openSocket(localIp), await openSocket(localIp));
  }

  get farAddress(): string {
    const { address, port } = this.#far.address();
    return `${address}:${port}`;
  }

  /** To the port where the tunnel's egress edge listens. */
  send(port: number, bytes: number): void {
    const datagram = numberedDatagram(this.#tunnel * perTunnel + this.sent, bytes);
    this.#near.send(datagram, port, this.#near.address().address, () => {});
    this.sent += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.#near, this.#far]) {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    }
  }

  #check(datagram: Buffer, from: RemoteInfo, seen: Set<number>, where: string): void {
    const read = readNumbered(datagram);
    if (read === null) {
      this.faults.push(
        `changed datagram at the ${where} of tunnel ${this.#tunnel}: ${datagram.length} bytes from port ${from.port}, ` +
          `${datagram.subarray(0, 24).toString('hex')}…`,
      );
      return;
    }
    const tunnel = Math.floor(read.number / perTunnel);
    if (tunnel !== this.#tunnel) this.faults.push(`datagram of tunnel ${tunnel} at the ${where} of ${this.#tunnel}`);
    if (seen.has(read.number)) this.faults.push(`datagram ${read.number} came twice at the ${where}`);
    seen.add(read.number);
  }
}

async function openSocket(ip: string): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, ip);
  await once(socket, 'listening');
  return socket;
}
