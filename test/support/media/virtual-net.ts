import type { Random } from '../../../src/lib/random.ts';
import type {
  DatagramObserver,
  DatagramSocket,
  DatagramSocketSettings,
} from '../../../src/media/net/datagram-socket.ts';
import type { ManualClock } from '../fakes/manual-clock.ts';

const delayMs = 10;
const host = '127.0.0.1';

/** UDP in virtual time: sockets on one host, with a delay, and a loss that can be changed. */
export class VirtualNet {
  readonly #clock: ManualClock;
  readonly #random: Random;
  readonly #observers = new Map<number, DatagramObserver>();
  #nextPort = 50_000;
  /** 0 to 1. */
  loss = 0;

  constructor(clock: ManualClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** As `openDatagramSocket` does it; a port is free again once its socket is closed. */
  open({ bindAddr }: DatagramSocketSettings, observer: DatagramObserver): Promise<DatagramSocket> {
    const port = bindAddr?.port ?? this.#nextPort++;
    this.#observers.set(port, observer);
    return Promise.resolve({
      localAddress: `${host}:${port}`,
      send: (packet: Buffer, to: number) => this.#carry(Buffer.from(packet), port, to),
      close: () => {
        this.#observers.delete(port);
        return Promise.resolve();
      },
    });
  }

  #carry(packet: Buffer, from: number, to: number): void {
    if (this.#random.float() < this.loss) return;
    this.#clock.setTimeout(() => this.#observers.get(to)?.onMessage(packet, host, from), delayMs);
  }
}
