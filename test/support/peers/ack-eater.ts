import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const ackType = 0x8002;

/** A UDP path to an SRT listener on which acknowledgements towards the caller are lost, and nothing else. */
export class AckEater implements AsyncDisposable {
  readonly port: number;
  readonly #front: Socket;
  readonly #back = createSocket('udp4');
  #caller: { readonly port: number; readonly address: string } | null = null;

  private constructor(front: Socket, port: number, srtPort: number) {
    this.#front = front;
    this.port = port;
    front.on('message', (packet, caller) => {
      this.#caller = caller;
      this.#back.send(packet, srtPort, '127.0.0.1');
    });
    this.#back.on('message', (packet) => {
      const isAck = packet.length >= 2 && packet.readUInt16BE(0) === ackType;
      if (!isAck && this.#caller !== null) front.send(packet, this.#caller.port, this.#caller.address);
    });
  }

  static async open(srtPort: number): Promise<AckEater> {
    const front = createSocket('udp4').bind(0, '127.0.0.1');
    await once(front, 'listening');
    return new AckEater(front, front.address().port, srtPort);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.#front, this.#back]) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}
