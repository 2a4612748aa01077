import type { NativeConnection } from './native.ts';
import type { PeerPath } from './peer-path.ts';
import type { UdpSocket } from './udp-socket.ts';

/** Every path carries this much (RFC 9000 §14). */
export const minPayload = 1200;

/** Moves packets from quiche to the socket. */
export class PacketSender {
  /** Largest UDP payload now; quiche fills no packet beyond it. */
  payload: number;
  /** Sizes of packets since the path was last judged. */
  largeSent = 0;
  smallSent = 0;
  #lastSentMs: number;
  readonly #native: NativeConnection;
  readonly #socket: UdpSocket;
  readonly #path: PeerPath;

  readonly #keepAliveMs: number;

  constructor(
    native: NativeConnection,
    socket: UdpSocket,
    path: PeerPath,
    settings: { readonly maxUdpPayload: number; readonly keepAliveMs: number },
    nowMs: number,
  ) {
    this.#native = native;
    this.#socket = socket;
    this.#path = path;
    this.payload = settings.maxUdpPayload;
    this.#keepAliveMs = settings.keepAliveMs > 0 ? settings.keepAliveMs : Number.POSITIVE_INFINITY;
    this.#lastSentMs = nowMs;
  }

  /** When a packet must be sent lest the path or the peer forgets us. */
  get keepAliveDueMs(): number {
    return this.#lastSentMs + this.#keepAliveMs;
  }

  /**
   * Sends what is ready, `maxPackets` at most; answers how many packets may still follow: 0 means that more may be ready. Negative: the
   * address or the socket lets nothing more out now.
   */
  send(maxPackets: number, nowMs: number): number {
    let left = maxPackets;
    while (left > 0) {
      if (!this.#path.maySend(this.payload)) return -1;
      const slot = this.#socket.take();
      if (slot === null) return 0;
      const length = this.#fill(slot.bytes);
      if (length === 0) {
        this.#socket.release(slot);
        return left;
      }
      left -= 1;
      this.#lastSentMs = nowMs;
      if (length > minPayload) this.largeSent += 1;
      else this.smallSent += 1;
      this.#path.onSent(length);
      this.#socket.send(slot, length, this.#path.ip, this.#path.port);
    }
    return 0;
  }

  /** Sends the packet that quiche makes after `close`, and answers a copy of it. */
  sendClose(): Uint8Array | null {
    const bytes = new Uint8Array(minPayload);
    const length = this.#fill(bytes);
    if (length === 0) return null;
    const packet = bytes.slice(0, length);
    if (this.#path.maySend(length)) this.#socket.sendCopy(packet, this.#path.ip, this.#path.port);
    return packet;
  }

  #fill(bytes: Uint8Array): number {
    const room = bytes.length > this.payload ? bytes.subarray(0, this.payload) : bytes;
    return this.#native.send(room)?.[0] ?? 0;
  }
}
