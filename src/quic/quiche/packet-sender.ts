import type { NativeConnection } from './native.ts';
import { minPayload } from './path-mtu.ts';
import type { PeerPath } from './peer-path.ts';
import type { TrafficMeter } from './traffic-meter.ts';
import type { UdpSocket } from './udp-socket.ts';

/** Moves packets from quiche to the socket. */
export class PacketSender {
  /** What the path is believed to carry, and the peer to take. */
  fullPayload: number;
  /** Largest UDP payload now; quiche fills no packet beyond it. */
  payload: number;
  lastSentMs: number;
  /** Packets above 1200 bytes. */
  largeSent = 0;
  readonly #native: NativeConnection;
  readonly #socket: UdpSocket;
  readonly #path: PeerPath;
  readonly #meter: TrafficMeter;

  constructor(
    native: NativeConnection,
    to: { readonly socket: UdpSocket; readonly path: PeerPath; readonly meter: TrafficMeter },
    fullPayload: number,
    nowMs: number,
  ) {
    this.#native = native;
    this.#socket = to.socket;
    this.#path = to.path;
    this.#meter = to.meter;
    this.fullPayload = fullPayload;
    this.payload = fullPayload;
    this.lastSentMs = nowMs;
  }

  /**
   * Sends what is ready, `maxPackets` at most; answers how many packets may still follow: 0 means that more may be ready. Negative: the
   * peer's address lets nothing more out before it is proved.
   */
  send(maxPackets: number, nowMs: number): number {
    let left = maxPackets;
    while (left > 0) {
      if (!this.#path.maySend(this.payload)) {
        // Or a keep-alive would be due again at once.
        this.lastSentMs = nowMs;
        return -1;
      }
      const slot = this.#socket.take();
      if (slot === null) return 0;
      const length = this.#fill(slot.bytes);
      if (length === 0) {
        this.#socket.release(slot);
        return left;
      }
      left -= 1;
      this.lastSentMs = nowMs;
      if (length > minPayload) this.largeSent += 1;
      this.#path.onSent(length);
      this.#meter.onSent(length);
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
