import { Pacer } from './pacer.ts';
import { dataFlags, encodeDropRequest, headerBytes, type ReceivedAck, type SequenceRange } from './packet.ts';
import type { RoundTrip } from './round-trip.ts';
import { sequenceAdd, sequenceDistance, sequenceMask } from './sequence.ts';
import type { SrtCounters } from './srt-counters.ts';
import type { BandwidthLimit } from './srt-settings.ts';
import { timestampOf } from './tsbpd.ts';
import type { TransmitKeys } from './transmit-keys.ts';

export interface SenderDependencies {
  /** Sends a finished packet. The buffer stays this end's: it may be sent again with another flag. */
  readonly send: (packet: Buffer) => void;
  /** Sends a control packet; the rest of its header is filled in. */
  readonly sendControl: (packet: Buffer) => void;
  readonly roundTrip: RoundTrip;
  /** Null when the connection is not encrypted. */
  readonly keys: TransmitKeys | null;
  readonly counters: SrtCounters;
}

export interface SenderSettings {
  readonly initialSequence: number;
  readonly destination: number;
  readonly startUs: number;
  readonly bufferPackets: number;
  readonly flightWindow: number;
  /** A packet that is older than this and not acknowledged is given up; Infinity never. */
  readonly giveUpAfterUs: number;
  readonly patientRetransmit: boolean;
  /** How long the peer holds a packet before it delivers it. */
  readonly latencyUs: number;
  readonly bandwidth: BandwidthLimit;
  readonly retransmitBytesPerSecond: number | null;
}

/** Round trips that must fit before the peer's deadline for a report to be left alone (see `#isUnderWay`). */
const patientRoundTrips = 3;
/** With nothing new to send, the last packet is sent again after so many round-trip timeouts without an ACK. */
const probeFloorUs = 50_000;

/** The sending half of a connection: buffer, retransmission, giving up what is too late, pacing. */
export class Sender {
  readonly #dependencies: SenderDependencies;
  readonly #settings: SenderSettings;
  readonly #packets: (Buffer | null)[];
  readonly #originUs: Float64Array;
  /** When a packet was sent again last; 0 for never. */
  readonly #resentUs: Float64Array;
  readonly #mask: number;
  readonly #pacer: Pacer;
  readonly #retransmitPacer: Pacer;
  /** First packet that is kept for the peer. */
  #first: number;
  /** First packet that has not gone out. */
  #unsent: number;
  /** The number of the next packet that is written. */
  #next: number;
  #message = 1;
  #window: number;
  #lastSentUs = 0;
  #waitsSinceUs: number | null = null;

  constructor(dependencies: SenderDependencies, settings: SenderSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    const size = 2 ** Math.ceil(Math.log2(settings.bufferPackets));
    this.#packets = new Array<Buffer | null>(size).fill(null);
    this.#originUs = new Float64Array(size);
    this.#resentUs = new Float64Array(size);
    this.#mask = size - 1;
    this.#pacer = new Pacer(settings.bandwidth);
    const { retransmitBytesPerSecond: rate } = settings;
    this.#retransmitPacer = new Pacer(rate === null ? { kind: 'unlimited' } : { kind: 'fixed', bytesPerSecond: rate });
    this.#first = settings.initialSequence;
    this.#unsent = settings.initialSequence;
    this.#next = settings.initialSequence;
    this.#window = settings.flightWindow;
  }

  /** Packets kept, sent or not. */
  get buffered(): number {
    return sequenceDistance(this.#next, this.#first);
  }

  /** Packets sent and not acknowledged. */
  get inFlight(): number {
    return sequenceDistance(this.#unsent, this.#first);
  }

  get bytesPerSecondLimit(): number {
    return this.#pacer.bytesPerSecond;
  }

  /** Since when data has been waiting for an ACK of any kind; null while none is owed. */
  get waitsSinceUs(): number | null {
    return this.#waitsSinceUs;
  }

  /** When `tick` has something to do. */
  get nextUs(): number {
    if (this.buffered === 0) return Number.POSITIVE_INFINITY;
    if (this.#unsent !== this.#next && this.inFlight < this.#window) return this.#pacer.freeAtUs;
    const oldest = this.#originUs[this.#first & this.#mask] ?? 0;
    return Math.min(oldest + this.#settings.giveUpAfterUs, this.#lastSentUs + this.#probeUs());
  }

  /**
   * Copies and sends `payload`, or keeps it until the bandwidth limit lets it go. `originUs` is the time that the
   * peer's delivery is reckoned from. False when there is no room: it was dropped and counted.
   */
  write(nowUs: number, payload: Uint8Array, originUs: number): boolean {
    const { counters, keys } = this.#dependencies;
    const { destination, startUs } = this.#settings;
    this.#giveUpLate(nowUs);
    if (this.buffered > this.#mask) {
      counters.packetsSendDrop++;
      counters.bytesSendDrop += payload.length;
      return false;
    }
    const sequence = this.#next;
    const packet = Buffer.allocUnsafe(headerBytes + payload.length);
    packet.set(payload, headerBytes);
    const key = keys === null ? 0 : keys.encrypt(sequence, packet.subarray(headerBytes));
    packet.writeUInt32BE(sequence, 0);
    packet.writeUInt32BE((dataFlags.solo | dataFlags.inOrder | key | this.#message) >>> 0, 4);
    packet.writeUInt32BE(timestampOf(originUs - startUs), 8);
    packet.writeUInt32BE(destination, 12);
    this.#message = this.#message === dataFlags.messageMask ? 1 : this.#message + 1;
    const slot = sequence & this.#mask;
    this.#packets[slot] = packet;
    this.#originUs[slot] = originUs;
    this.#resentUs[slot] = 0;
    this.#next = sequenceAdd(sequence, 1);
    this.#pacer.noteInput(nowUs, packet.length);
    this.#flush(nowUs);
    return true;
  }

  onAck(nowUs: number, ack: ReceivedAck): void {
    const { roundTrip, counters } = this.#dependencies;
    counters.acksReceived++;
    if (ack.rttUs !== null && ack.number !== 0) roundTrip.update(ack.rttUs);
    // A window of nothing would never be opened again: an idle peer sends no ACK.
    if (ack.availableBuffer !== null) {
      this.#window = Math.max(2, Math.min(this.#settings.flightWindow, ack.availableBuffer));
    }
    const acknowledged = sequenceDistance(ack.next, this.#first);
    if (acknowledged > this.inFlight) {
      counters.malformed++;
      return;
    }
    if (acknowledged > 0) this.#forgetBefore(ack.next);
    this.#waitsSinceUs = this.inFlight === 0 ? null : nowUs;
    this.#flush(nowUs);
  }

  onNak(nowUs: number, ranges: readonly SequenceRange[]): void {
    this.#dependencies.counters.naksReceived++;
    for (const range of ranges) this.#onLoss(nowUs, range);
  }

  /** This end stood still for `stallUs`: an ACK of that time may wait in its socket. */
  onStall(nowUs: number, stallUs: number): void {
    if (this.#waitsSinceUs !== null) this.#waitsSinceUs = Math.min(nowUs, this.#waitsSinceUs + stallUs);
  }

  tick(nowUs: number): void {
    this.#giveUpLate(nowUs);
    this.#flush(nowUs);
    this.#probe(nowUs);
  }

  /** A NAK may name what was never sent; and what was given up will never come, which a drop request says. */
  #onLoss(nowUs: number, { first, last }: SequenceRange): void {
    const { counters, sendControl } = this.#dependencies;
    // Both are reckoned from one number: distances of numbers half the range apart contradict each other.
    const from = sequenceDistance(first, this.#first);
    const to = sequenceDistance(last, this.#first);
    if (to >= this.inFlight || to < from) {
      counters.malformed++;
      return;
    }
    // Farther behind is an old report of packets that were acknowledged since.
    if (from < 0 && from >= -this.#mask) {
      sendControl(encodeDropRequest({ first, last: sequenceAdd(this.#first, Math.min(to, -1)) }));
    }
    for (let index = Math.max(0, from); index <= to; index++) {
      this.#retransmit(nowUs, sequenceAdd(this.#first, index));
    }
  }

  #retransmit(nowUs: number, sequence: number): void {
    const { counters } = this.#dependencies;
    const slot = sequence & this.#mask;
    const packet = this.#packets[slot];
    if (packet === null || packet === undefined) return;
    counters.packetsSendLoss++;
    if (this.#isUnderWay(nowUs, slot) || this.#retransmitPacer.freeAtUs > nowUs) return;
    this.#resentUs[slot] = nowUs;
    packet[4] = (packet[4] ?? 0) | (dataFlags.retransmitted >>> 24);
    counters.packetsRetransmitted++;
    counters.bytesRetransmitted += packet.length - headerBytes;
    this.#retransmitPacer.noteSent(nowUs, packet.length);
    this.#transmit(nowUs, packet);
  }

  /**
   * Whether the report may be older than the packet that was sent again: one more would be a double. Close to the
   * peer's deadline a double costs less than the round trip that is lost by waiting for the next report.
   */
  #isUnderWay(nowUs: number, slot: number): boolean {
    const { measured, rttUs, varianceUs } = this.#dependencies.roundTrip;
    const resentUs = this.#resentUs[slot] ?? 0;
    if (!this.#settings.patientRetransmit || !measured || resentUs === 0) return false;
    const leftUs = (this.#originUs[slot] ?? 0) + this.#settings.latencyUs - nowUs;
    return leftUs > patientRoundTrips * rttUs && nowUs - resentUs < rttUs - 4 * varianceUs;
  }

  /** Sends what has not gone out yet, as far as window and bandwidth allow. */
  #flush(nowUs: number): void {
    const { counters } = this.#dependencies;
    while (this.#unsent !== this.#next && this.inFlight < this.#window && this.#pacer.freeAtUs <= nowUs) {
      const slot = this.#unsent & this.#mask;
      const packet = this.#packets[slot];
      this.#unsent = sequenceAdd(this.#unsent, 1);
      if (packet === null || packet === undefined) continue;
      counters.packetsSentUnique++;
      counters.bytesSentUnique += packet.length - headerBytes;
      this.#waitsSinceUs ??= nowUs;
      this.#transmit(nowUs, packet);
    }
  }

  #transmit(nowUs: number, packet: Buffer): void {
    const { counters, send } = this.#dependencies;
    counters.packetsSent++;
    counters.bytesSent += packet.length - headerBytes;
    this.#lastSentUs = nowUs;
    this.#pacer.noteSent(nowUs, packet.length);
    send(packet);
  }

  /** The last packets of a burst have none behind them that would show their loss. */
  #probe(nowUs: number): void {
    if (this.inFlight === 0 || this.#unsent !== this.#next || nowUs - this.#lastSentUs < this.#probeUs()) return;
    this.#lastSentUs = nowUs;
    this.#retransmit(nowUs, (this.#next - 1) & sequenceMask);
  }

  #probeUs(): number {
    return Math.max(probeFloorUs, 2 * this.#dependencies.roundTrip.timeoutUs);
  }

  #giveUpLate(nowUs: number): void {
    const limit = nowUs - this.#settings.giveUpAfterUs;
    const { counters } = this.#dependencies;
    while (this.#first !== this.#next && (this.#originUs[this.#first & this.#mask] ?? 0) <= limit) {
      counters.packetsSendDrop++;
      counters.bytesSendDrop += (this.#packets[this.#first & this.#mask]?.length ?? headerBytes) - headerBytes;
      this.#forgetBefore(sequenceAdd(this.#first, 1));
    }
  }

  #forgetBefore(sequence: number): void {
    while (this.#first !== sequence) {
      this.#packets[this.#first & this.#mask] = null;
      this.#first = sequenceAdd(this.#first, 1);
    }
    if (sequenceDistance(this.#unsent, this.#first) < 0) this.#unsent = this.#first;
  }
}
