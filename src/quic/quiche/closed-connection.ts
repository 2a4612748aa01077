import type { RemoteInfo } from 'node:dgram';
import type { TimerMember } from './timers.ts';
import type { UdpSocket } from './udp-socket.ts';

/**
 * Holds the id of a connection that is over, for as long as packets of it may still come (RFC 9000 §10.2). They get the
 * close again or nothing, but no stateless reset.
 */
export class ClosedConnection implements TimerMember {
  static readonly lingerMs = 3000;
  heapIndex = -1;
  dueMs = 0;
  readonly #socket: UdpSocket;
  readonly #closePacket: Uint8Array | null;
  readonly #onDone: () => void;
  #packets = 0;

  constructor(socket: UdpSocket, closePacket: Uint8Array | null, onDone: () => void) {
    this.#socket = socket;
    this.#closePacket = closePacket;
    this.#onDone = onDone;
  }

  onPacket(packet: Uint8Array, remote: RemoteInfo): void {
    this.#packets += 1;
    // Ever fewer answers, and none longer than its cause: neither a flood nor an amplifier.
    const isPowerOfTwo = (this.#packets & (this.#packets - 1)) === 0;
    if (this.#closePacket === null || !isPowerOfTwo || this.#closePacket.length > packet.length * 3) return;
    this.#socket.sendCopy(this.#closePacket, remote.address, remote.port);
  }

  onDeadline(): void {
    this.#onDone();
  }
}
