import type { Random } from '../../lib/random.ts';
import { createReceiver, createSender, createTransmitKeys } from './connection-parts.ts';
import { decodeNak } from './loss-list.ts';
import {
  controlPacket,
  controlType,
  decodeAck,
  decodeDropRequest,
  encodeAckAck,
  extensionType,
  headerBytes,
  isControl,
  stamp,
} from './packet.ts';
import { ReceiveKeys } from './receive-keys.ts';
import type { Receiver } from './receiver.ts';
import { RoundTrip } from './round-trip.ts';
import type { Sender } from './sender.ts';
import type { SrtAgreement } from './srt-agreement.ts';
import { SrtCounters } from './srt-counters.ts';
import type { SrtSettings } from './srt-settings.ts';
import type { TransmitKeys } from './transmit-keys.ts';
import { timestampOf } from './tsbpd.ts';

export type CloseReason =
  /** The peer has closed the connection. */
  | 'shutdown'
  /** Nothing came for `peerIdleTimeoutMs`. */
  | 'idle'
  /** Data was sent and nothing acknowledged for three seconds. */
  | 'stale'
  /** This end has closed it. */
  | 'closed';

/** What a connection asks for; all calls come from within `handle`, `write`, `tick` and `close`. */
export interface SrtConnectionDependencies {
  readonly random: Random;
  /** Sends a datagram to the peer. The buffer is sent before the next call, or copied. */
  readonly send: (packet: Buffer) => void;
  /** A payload whose time, `dueUs`, has come; the buffer is the receiver's to keep. */
  readonly deliver: (payload: Buffer, dueUs: number) => void;
  /** Once, at the end. */
  readonly closed: (reason: CloseReason) => void;
}

const keepAliveUs = 1_000_000;
const staleUs = 3_000_000;
/** How often the slow deadlines are looked at. */
const houseKeepingUs = 100_000;
/** This end stood still when it comes so much later than it wanted to. */
const stallUs = 20_000;

/** An SRT connection after its handshake. Pure: time comes with each call. */
export class SrtConnection {
  readonly agreement: SrtAgreement;
  readonly counters = new SrtCounters();
  readonly roundTrip = new RoundTrip();
  readonly #dependencies: SrtConnectionDependencies;
  readonly #settings: SrtSettings;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #receiveKeys: ReceiveKeys;
  readonly #transmitKeys: TransmitKeys | null;
  #nowUs: number;
  #sentUs: number;
  #heardUs: number;
  #houseUs: number;
  /** When this end last found that it had stood still. */
  #stalledUs = 0;
  #open = true;

  constructor(dependencies: SrtConnectionDependencies, agreement: SrtAgreement, settings: SrtSettings) {
    this.agreement = agreement;
    this.#dependencies = dependencies;
    this.#settings = settings;
    const now = agreement.heardAtUs;
    [this.#nowUs, this.#sentUs, this.#heardUs, this.#houseUs] = [now, now, now, now + houseKeepingUs];
    this.#receiveKeys = new ReceiveKeys(settings.passphrase);
    if (agreement.keys !== null) this.#receiveKeys.install(agreement.keys.stream);
    this.#transmitKeys = createTransmitKeys(dependencies.random, agreement, settings);
    const { counters, roundTrip } = this;
    const sendControl = (packet: Buffer): void => this.#sendControl(packet);
    const { deliver } = dependencies;
    const receiving = { send: sendControl, deliver, roundTrip, keys: this.#receiveKeys, counters };
    this.#receiver = createReceiver(receiving, agreement, settings);
    const keys = this.#transmitKeys;
    const sending = { send: (packet: Buffer) => this.#send(packet), sendControl, roundTrip, keys, counters };
    this.#sender = createSender(sending, agreement, settings);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** When something came from the peer last. */
  get heardUs(): number {
    return this.#heardUs;
  }

  get receiveBuffered(): number {
    return this.#receiver.held;
  }

  get receivedBytesPerSecond(): number {
    return this.#receiver.bytesPerSecond;
  }

  get sendBuffered(): number {
    return this.#sender.buffered;
  }

  get inFlight(): number {
    return this.#sender.inFlight;
  }

  get bytesPerSecondLimit(): number {
    return this.#sender.bytesPerSecondLimit;
  }

  get encrypted(): boolean {
    return this.agreement.keys !== null;
  }

  /** When `tick` is to be called. */
  get nextUs(): number {
    if (!this.#open) return Number.POSITIVE_INFINITY;
    return Math.min(this.#houseUs, this.#receiver.nextUs, this.#sender.nextUs);
  }

  /** Takes a packet of the peer over; the caller has checked the address and the socket id. */
  handle(nowUs: number, packet: Buffer): void {
    if (!this.#open || packet.length < headerBytes) return;
    this.#wake(nowUs);
    this.#heardUs = nowUs;
    if (isControl(packet)) this.#onControl(nowUs, packet);
    else this.#receiver.onData(nowUs, packet);
    // Infinity once the packet has ended the connection.
    if (this.nextUs <= nowUs) this.tick(nowUs);
  }

  /**
   * Sends `payload`, at most the payload size, copied. `originUs` is the moment the peer's delivery is reckoned from.
   * False when it was dropped, and counted, because the buffer is full.
   */
  write(nowUs: number, payload: Uint8Array, originUs: number): boolean {
    if (!this.#open) return false;
    this.#nowUs = nowUs;
    const written = this.#sender.write(nowUs, payload, originUs);
    this.#announceKeys(nowUs);
    return written;
  }

  tick(nowUs: number): void {
    if (!this.#open) return;
    this.#wake(nowUs);
    this.#receiver.tick(nowUs);
    this.#sender.tick(nowUs);
    if (nowUs >= this.#houseUs) this.#keepHouse(nowUs);
  }

  /** Sends a shutdown to the peer and ends. Idempotent. */
  close(nowUs: number): void {
    if (!this.#open) return;
    this.#nowUs = nowUs;
    this.#sendControl(controlPacket(controlType.shutdown, 0, 0, 4));
    this.#end('closed');
  }

  #wake(nowUs: number): void {
    this.#nowUs = nowUs;
    const lateUs = nowUs - Math.min(this.#houseUs, this.#receiver.nextUs);
    if (lateUs <= stallUs || this.#stalledUs === nowUs) return;
    this.#stalledUs = nowUs;
    // What came meanwhile waits in the socket: that is no silence of the peer.
    this.#heardUs = Math.min(nowUs, this.#heardUs + lateUs);
    this.#receiver.onStall(nowUs, lateUs);
    this.#sender.onStall(nowUs, lateUs);
  }

  #keepHouse(nowUs: number): void {
    this.#houseUs = nowUs + houseKeepingUs;
    this.#announceKeys(nowUs);
    if (nowUs - this.#heardUs >= this.#settings.peerIdleTimeoutMs * 1000) {
      this.#sendControl(controlPacket(controlType.shutdown, 0, 0, 4));
      this.#end('idle');
      return;
    }
    const waits = this.#sender.waitsSinceUs;
    // libsrt sends no keep-alives while it acknowledges: where only its ACKs are lost, nothing arrives from it either.
    if (waits !== null && nowUs - waits >= staleUs) {
      this.#sendControl(controlPacket(controlType.shutdown, 0, 0, 4));
      this.#end('stale');
      return;
    }
    if (nowUs - this.#sentUs >= keepAliveUs) this.#sendControl(controlPacket(controlType.keepAlive, 0, 0, 4));
  }

  #onControl(nowUs: number, packet: Buffer): void {
    const type = packet.readUInt16BE(0) & 0x7fff;
    this.#receiver.onTimestamp(packet.readUInt32BE(8));
    if (type === controlType.ack) this.#onAck(nowUs, packet);
    else if (type === controlType.nak) this.#sender.onNak(nowUs, decodeNak(packet));
    else if (type === controlType.ackAck) {
      this.#receiver.onAckAck(nowUs, packet.readUInt32BE(4), packet.readUInt32BE(8));
    } else if (type === controlType.keepAlive) this.#receiver.onKeepAlive(nowUs, packet.readUInt32BE(8));
    else if (type === controlType.shutdown) this.#onShutdown();
    else if (type === controlType.dropRequest) this.#onDropRequest(nowUs, packet);
    else if (type === controlType.userDefined) this.#onKeyMessage(nowUs, packet);
  }

  #onAck(nowUs: number, packet: Buffer): void {
    const ack = decodeAck(packet);
    if (ack === null) {
      this.counters.malformed++;
      return;
    }
    if (ack.number !== 0) this.#sendControl(encodeAckAck(ack.number));
    this.#sender.onAck(nowUs, ack);
  }

  /** What still waits for its time would be lost: it goes out at once. */
  #onShutdown(): void {
    this.#receiver.flush();
    this.#end('shutdown');
  }

  #onDropRequest(nowUs: number, packet: Buffer): void {
    const range = decodeDropRequest(packet);
    if (range === null) this.counters.malformed++;
    else this.#receiver.onDropRequest(nowUs, range);
  }

  #onKeyMessage(nowUs: number, packet: Buffer): void {
    const subtype = packet.readUInt16BE(2);
    const body = packet.subarray(headerBytes);
    if (subtype === extensionType.keyRequest) {
      const response = this.#receiveKeys.onRequest(nowUs, body);
      if (response === null) return;
      if (response.length > 4) this.counters.keyRefreshesReceived++;
      this.#sendKeyMessage(extensionType.keyResponse, response);
    } else if (subtype === extensionType.keyResponse && this.#transmitKeys?.onResponse(body) === true) {
      this.counters.keyRefreshesSent++;
    }
  }

  #announceKeys(nowUs: number): void {
    const request = this.#transmitKeys?.dueRequest(nowUs, this.roundTrip.rttUs) ?? null;
    if (request !== null) this.#sendKeyMessage(extensionType.keyRequest, request);
  }

  #sendKeyMessage(subtype: number, body: Buffer): void {
    const packet = controlPacket(controlType.userDefined, subtype, 0, body.length);
    packet.set(body, headerBytes);
    this.#sendControl(packet);
  }

  #sendControl(packet: Buffer): void {
    stamp(packet, timestampOf(this.#nowUs - this.agreement.startUs), this.agreement.peerSocketId);
    this.#send(packet);
  }

  #send(packet: Buffer): void {
    this.#sentUs = this.#nowUs;
    this.#dependencies.send(packet);
  }

  #end(reason: CloseReason): void {
    if (!this.#open) return;
    this.#open = false;
    this.#dependencies.closed(reason);
  }
}
