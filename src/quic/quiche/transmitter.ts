import type { ConnectionStats } from '../connection-report.ts';
import type { DatagramSendResult, DropReason } from '../types.ts';
import type { TransportSettings } from '../transport-settings.ts';
import { connectionStats } from './connection-stats.ts';
import { DatagramQueue } from './datagram-queue.ts';
import type { QuicheLedger } from './ledger.ts';
import type { QuicheHandle } from './binding.ts';
import { PacketSender } from './packet-sender.ts';
import { PathMtu, type PathCounts } from './path-mtu.ts';
import type { PeerPath } from './peer-path.ts';
import type { TrafficMeter } from './traffic-meter.ts';
import type { UdpSocket } from './udp-socket.ts';
import { WindowFloor } from './quirks/window-floor.ts';

/** Packets that one connection may send before others have their turn. */
const packetsPerTurn = 48;

/** Longer than a probe timeout on most paths; a peer that has not answered by then finds out by its idle timeout. */
const longestCloseWaitMs = 1000;

/** All that leaves on one connection: packets, as large as the path carries, and the datagrams that wait for them. */
export class Transmitter {
  readonly #handle: QuicheHandle;
  readonly #sender: PacketSender;
  readonly #queue: DatagramQueue;
  #mtu: PathMtu;
  /** Null until established. */
  #floor: WindowFloor | null = null;
  readonly #keepAliveMs: number;
  /** When the connection is closed whether CONNECTION_CLOSE can leave or not. */
  #closeDueMs = Number.POSITIVE_INFINITY;
  #probing = false;
  #pingWanted = false;
  /** Largest DATAGRAM at the full packet size; 0 until established, and when the peer takes none. */
  #fullDatagram = 0;

  constructor(
    handle: QuicheHandle,
    to: { readonly socket: UdpSocket; readonly path: PeerPath; readonly meter: TrafficMeter },
    transport: TransportSettings,
    nowMs: number,
  ) {
    this.#handle = handle;
    this.#sender = new PacketSender(handle, to, transport.maxUdpPayload, nowMs);
    this.#queue = new DatagramQueue(handle, {
      maxBytes: transport.datagramQueueBytes,
      maxAgeMs: transport.datagramQueueMs,
    });
    this.#mtu = new PathMtu(transport.maxUdpPayload, nowMs);
    this.#keepAliveMs = transport.keepAliveMs > 0 ? transport.keepAliveMs : Number.POSITIVE_INFINITY;
  }

  /** When a packet must be sent lest the peer or a NAT forgets us. */
  get keepAliveDueMs(): number {
    return this.#sender.lastSentMs + this.#keepAliveMs;
  }

  /** When a datagram becomes too old, or the end must not wait any longer. */
  get dueMs(): number {
    return Math.min(this.#queue.expiresAtMs, this.#closeDueMs);
  }

  /** Whether datagrams wait for acknowledgements of the peer. */
  get blocked(): boolean {
    return this.#queue.blocked;
  }

  /** To be called once the peer's limits are known. */
  onEstablished(nowMs: number): void {
    this.#sender.fullPayload = Math.min(this.#sender.fullPayload, this.#handle.maxSendUdpPayloadSize());
    this.#sender.payload = this.#sender.fullPayload;
    this.#mtu = new PathMtu(this.#sender.fullPayload, nowMs);
    this.#floor = new WindowFloor(this.#handle, this.#sender, nowMs);
    this.#fullDatagram = this.#handle.dgramMaxWritableLen() ?? 0;
  }

  /** The caller plans a transmission. */
  offer(datagram: Uint8Array, ledger: QuicheLedger | null, nowMs: number): DatagramSendResult {
    if (datagram.length <= this.#maxDatagram()) return this.#queue.offer(datagram, ledger, nowMs);
    if (ledger !== null) ledger.drops.too_large += 1;
    return 'too_large';
  }

  /** The next transmission has an answer to it, whatever else it carries. The caller plans it. */
  ping(): void {
    this.#pingWanted = true;
  }

  /** True: more is ready to be sent. */
  transmit(nowMs: number): boolean {
    if (this.#pingWanted) this.#handle.sendAckEliciting();
    this.#pingWanted = false;
    this.#queue.expire(nowMs);
    let left = packetsPerTurn;
    do {
      left = this.#sender.send(left, nowMs);
      this.#queue.flushed();
    } while (left > 0 && this.#queue.feed(nowMs));
    if (this.#mtu.wantsJudgement(this.#sender.largeSent, nowMs)) {
      this.#mtu.judge(this.#counts(), nowMs);
      this.#applyMtu();
    }
    this.#floor?.lift(nowMs);
    return left === 0;
  }

  /** Sends what quiche has ready, and only that. True: more may be ready. */
  flush(nowMs: number): boolean {
    return this.#sender.send(packetsPerTurn, nowMs) === 0;
  }

  get packetsSent(): number {
    return this.#sender.packets;
  }

  /** Whether CONNECTION_CLOSE waits for room; then nothing else is sent any more. */
  get isClosing(): boolean {
    return this.#closeDueMs < Number.POSITIVE_INFINITY;
  }

  /**
   * Call until it returns true, then close. The first call flushes once; later calls wait for acknowledgements or a
   * probe timeout, so that CONNECTION_CLOSE really leaves.
   */
  readyToClose(nowMs: number): boolean {
    if (!this.isClosing) {
      this.#closeDueMs = nowMs + longestCloseWaitMs;
      this.flush(nowMs);
    }
    const isEstablished = this.#fullDatagram > 0;
    return !isEstablished || this.#probing || nowMs >= this.#closeDueMs || this.#sender.hasRoomToClose(nowMs);
  }

  /** Sends the packet that quiche makes after `close`, and returns a copy of it. */
  sendClose(): Uint8Array | null {
    return this.#sender.sendClose();
  }

  /** Something that quiche waited for did not happen in time. */
  onTimeout(nowMs: number): void {
    this.#handle.onTimeout();
    this.#probing = this.isClosing;
    if (this.#sender.largeSent === 0) return;
    this.#mtu.onTimeout(this.#counts(), nowMs);
    this.#applyMtu();
    // Its acknowledgement shows that the path carries small packets, if no others.
    if (!this.isClosing) this.#sender.sendSmall(nowMs);
  }

  clear(reason: DropReason): void {
    this.#queue.clear(reason);
  }

  stats(): ConnectionStats {
    const { payload } = this.#sender;
    return connectionStats(this.#handle, this.#queue, { payload, maxDatagram: this.#maxDatagram() });
  }

  #maxDatagram(): number {
    return Math.max(0, this.#fullDatagram - (this.#sender.fullPayload - this.#sender.payload));
  }

  #counts(): PathCounts {
    return { lost: this.#handle.pathStats()[0]?.lost ?? 0, large: this.#sender.largeSent };
  }

  #applyMtu(): void {
    const { payload } = this.#mtu;
    if (payload === this.#sender.payload) return;
    const shrinks = payload < this.#sender.payload;
    this.#sender.payload = payload;
    // What no longer fits would block quiche's queue for ever.
    if (shrinks) this.#queue.limit(this.#maxDatagram());
  }
}
