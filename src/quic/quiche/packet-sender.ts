import type { QuicheHandle } from './binding.ts';
import { minPayload } from './path-mtu.ts';
import type { PeerPath } from './peer-path.ts';
import type { TrafficMeter } from './traffic-meter.ts';
import type { UdpSocket } from './udp-socket.ts';

/** As large as the packet of a close with the longest reason. */
const closeProbeBytes = 320;

/** Moves packets from quiche to the socket. */
export class PacketSender {
  /** What the path is believed to carry, and the peer to take. */
  fullPayload: number;
  /** Largest UDP payload now; quiche fills no packet beyond it. */
  payload: number;
  lastSentMs: number;
  packets = 0;
  /** Packets above 1200 bytes. */
  largeSent = 0;
  readonly #handle: QuicheHandle;
  readonly #socket: UdpSocket;
  readonly #path: PeerPath;
  readonly #meter: TrafficMeter;

  constructor(
    handle: QuicheHandle,
    to: { readonly socket: UdpSocket; readonly path: PeerPath; readonly meter: TrafficMeter },
    fullPayload: number,
    nowMs: number,
  ) {
    this.#handle = handle;
    this.#socket = to.socket;
    this.#path = to.path;
    this.#meter = to.meter;
    this.fullPayload = fullPayload;
    this.payload = fullPayload;
    this.lastSentMs = nowMs;
  }

  /**
   * Sends what is ready, `maxPackets` at most. Returns how many packets may still follow: 0 means that more may be
   * ready. Negative: the peer's address lets nothing more out before it is proved.
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

  /** Sends one packet, if any is ready, that every path carries. */
  sendSmall(nowMs: number): void {
    const { payload } = this;
    this.payload = Math.min(payload, minPayload);
    this.send(1, nowMs);
    this.payload = payload;
  }

  /** Sends the packet that quiche makes after `close`, and returns a copy of it. */
  sendClose(): Uint8Array | null {
    const bytes = new Uint8Array(minPayload);
    const length = this.#fill(bytes);
    if (length === 0) return null;
    const packet = bytes.slice(0, length);
    if (this.#path.maySend(length)) this.#socket.sendCopy(packet, this.#path.ip, this.#path.port);
    return packet;
  }

  /**
   * Whether the packet of a close would leave. Against RFC 9000 §10.2 quiche holds it back while the congestion window
   * is full, and does not try again. Tried with small packets, because quiche does not expose what is in flight.
   */
  hasRoomToClose(nowMs: number): boolean {
    for (let probe = 0; probe < 2; probe += 1) {
      const slot = this.#path.maySend(this.payload) ? this.#socket.take() : null;
      if (slot === null) return true;
      this.#handle.sendAckEliciting();
      const length = this.#fill(slot.bytes.subarray(0, closeProbeBytes));
      if (length === 0) {
        this.#socket.release(slot);
        return false;
      }
      this.lastSentMs = nowMs;
      this.#path.onSent(length);
      this.#meter.onSent(length);
      this.#socket.send(slot, length, this.#path.ip, this.#path.port);
    }
    return true;
  }

  #fill(bytes: Uint8Array): number {
    const room = bytes.length > this.payload ? bytes.subarray(0, this.payload) : bytes;
    const length = this.#handle.send(room)?.[0] ?? 0;
    if (length > 0) this.packets += 1;
    return length;
  }
}
