import { decodeNak, encodeNak } from '../../../src/media/srt/loss-list.ts';
import {
  controlType,
  dataFlags,
  decodeAck,
  encodeAckAck,
  encodeFullAck,
  headerBytes,
  isControl,
  stamp,
  type SequenceRange,
} from '../../../src/media/srt/packet.ts';

/**
 * How libsrt 1.5 repairs a live stream (its core.cpp), in virtual time: what decides whether a packet comes in time, and
 * nothing else. Sequence numbers start at 0 and do not wrap.
 */
interface LibsrtLink {
  readonly send: (packet: Buffer) => void;
}

interface Kept {
  readonly packet: Buffer;
  readonly originUs: number;
  /** When it was sent again last; -Infinity for never. */
  resentUs: number;
}

const ackPeriodUs = 10_000;
const leastNakPeriodUs = 20_000;
const giveUpUs = 1_000_000;

/** Smoothed as libsrt does: the first sample replaces the initial guess. */
class SmoothedRoundTrip {
  rttUs = 100_000;
  varianceUs = 50_000;
  #isFirst = true;

  update(sampleUs: number): void {
    if (this.#isFirst) [this.rttUs, this.varianceUs] = [sampleUs, sampleUs / 2];
    else {
      this.varianceUs += (Math.abs(this.rttUs - sampleUs) - this.varianceUs) / 4;
      this.rttUs += (sampleUs - this.rttUs) / 8;
    }
    this.#isFirst = false;
  }
}

/** The sending half: a packet that is reported lost goes out again, at most once a round trip (`retransmitalgo` 1). */
export class LibsrtSender {
  readonly #link: LibsrtLink;
  readonly #startUs: number;
  readonly #roundTrip = new SmoothedRoundTrip();
  readonly #kept = new Map<number, Kept>();
  #next = 0;
  readonly nextUs = Number.POSITIVE_INFINITY;

  constructor(link: LibsrtLink, startUs: number) {
    this.#link = link;
    this.#startUs = startUs;
  }

  write(nowUs: number, payload: Buffer): void {
    const packet = Buffer.concat([Buffer.alloc(headerBytes), payload]);
    packet.writeUInt32BE(this.#next, 0);
    packet.writeUInt32BE((dataFlags.solo | dataFlags.inOrder | (this.#next + 1)) >>> 0, 4);
    packet.writeUInt32BE((nowUs - this.#startUs) >>> 0, 8);
    this.#kept.set(this.#next++, { packet, originUs: nowUs, resentUs: Number.NEGATIVE_INFINITY });
    this.#link.send(packet);
  }

  handle(nowUs: number, packet: Buffer): void {
    const type = packet.readUInt16BE(0) & 0x7fff;
    if (type === controlType.ack) this.#onAck(nowUs, packet);
    if (type === controlType.nak) for (const range of decodeNak(packet)) this.#onLoss(nowUs, range);
  }

  tick(): void {
    // Everything that it does is an answer.
  }

  #onAck(nowUs: number, packet: Buffer): void {
    const ack = decodeAck(packet);
    if (ack === null) return;
    if (ack.number !== 0) {
      const answer = encodeAckAck(ack.number);
      stamp(answer, nowUs - this.#startUs, 0);
      this.#link.send(answer);
    }
    if (ack.rttUs !== null) this.#roundTrip.update(ack.rttUs);
    for (const sequence of this.#kept.keys()) {
      if (sequence >= ack.next) return;
      this.#kept.delete(sequence);
    }
  }

  #onLoss(nowUs: number, { first, last }: SequenceRange): void {
    const { rttUs, varianceUs } = this.#roundTrip;
    for (let sequence = first; sequence <= last; sequence++) {
      const kept = this.#kept.get(sequence);
      if (kept === undefined || nowUs - kept.originUs > giveUpUs) continue;
      if (kept.resentUs >= nowUs - (rttUs - 4 * varianceUs)) continue;
      kept.resentUs = nowUs;
      kept.packet[4] = (kept.packet[4] ?? 0) | (dataFlags.retransmitted >>> 24);
      this.#link.send(kept.packet);
    }
  }
}

/** The receiving half: reports a gap at once, all gaps again each half round trip, and goes on when time is up. */
export class LibsrtReceiver {
  readonly #link: LibsrtLink;
  readonly #deliver: (payload: Buffer) => void;
  /** Added to a packet's timestamp: when it is delivered. */
  readonly #dueFromUs: number;
  readonly #roundTrip = new SmoothedRoundTrip();
  readonly #held = new Map<number, Buffer>();
  readonly #missing = new Set<number>();
  readonly #ackedUs = new Map<number, number>();
  /** The next packet to deliver. */
  #head = 0;
  #next = 0;
  #ackNumber = 0;
  #acknowledged = 0;
  #ackAtUs: number;
  #nakAtUs: number;

  /** `dueFromUs`: when a packet with timestamp 0 is delivered. */
  constructor(link: LibsrtLink, deliver: (payload: Buffer) => void, startUs: number, dueFromUs: number) {
    this.#link = link;
    this.#deliver = deliver;
    this.#dueFromUs = dueFromUs;
    this.#ackAtUs = startUs + ackPeriodUs;
    this.#nakAtUs = startUs + ackPeriodUs;
  }

  get nextUs(): number {
    return Math.min(this.#ackAtUs, this.#nakAtUs, this.#deliverAtUs());
  }

  handle(nowUs: number, packet: Buffer): void {
    if (!isControl(packet)) this.#onData(packet);
    else if ((packet.readUInt16BE(0) & 0x7fff) === controlType.ackAck) {
      const sentUs = this.#ackedUs.get(packet.readUInt32BE(4));
      if (sentUs !== undefined) this.#roundTrip.update(nowUs - sentUs);
    }
    this.tick(nowUs);
  }

  tick(nowUs: number): void {
    while (this.#deliverAtUs() <= nowUs) this.#handOn();
    if (nowUs >= this.#nakAtUs) {
      this.#report([...this.#missing].map((sequence) => ({ first: sequence, last: sequence })));
      const { rttUs, varianceUs } = this.#roundTrip;
      this.#nakAtUs = nowUs + Math.max(leastNakPeriodUs, (rttUs + 4 * varianceUs) / 2);
    }
    if (nowUs >= this.#ackAtUs) this.#acknowledge(nowUs);
  }

  #onData(packet: Buffer): void {
    const sequence = packet.readUInt32BE(0);
    if (sequence < this.#head || this.#held.has(sequence)) return;
    this.#held.set(sequence, packet);
    this.#missing.delete(sequence);
    if (sequence > this.#next) this.#report([{ first: this.#next, last: sequence - 1 }]);
    for (let gap = this.#next; gap < sequence; gap++) this.#missing.add(gap);
    this.#next = Math.max(this.#next, sequence + 1);
  }

  #report(ranges: readonly SequenceRange[]): void {
    if (ranges.length > 0) this.#link.send(encodeNak(ranges));
  }

  #acknowledge(nowUs: number): void {
    this.#ackAtUs = nowUs + ackPeriodUs;
    const next = Math.min(this.#next, ...this.#missing);
    if (next === this.#acknowledged) return;
    this.#acknowledged = next;
    this.#ackedUs.set(++this.#ackNumber, nowUs);
    this.#ackedUs.delete(this.#ackNumber - 100);
    const { rttUs, varianceUs: rttVarianceUs } = this.#roundTrip;
    const figures = { availableBuffer: 8192, packetsPerSecond: 0, linkCapacity: 0, bytesPerSecond: 0 };
    this.#link.send(encodeFullAck(this.#ackNumber, { next, rttUs, rttVarianceUs, ...figures }));
  }

  /** When the first packet that is there is due. */
  #deliverAtUs(): number {
    const first = this.#firstHeld();
    return first === null ? Number.POSITIVE_INFINITY : this.#dueFromUs + first.readUInt32BE(8);
  }

  #firstHeld(): Buffer | null {
    for (let sequence = this.#head; sequence < this.#next; sequence++) {
      const packet = this.#held.get(sequence);
      if (packet !== undefined) return packet;
    }
    return null;
  }

  #handOn(): void {
    const packet = this.#firstHeld();
    if (packet === null) return;
    for (; this.#head <= packet.readUInt32BE(0); this.#head++) {
      this.#held.delete(this.#head);
      this.#missing.delete(this.#head);
    }
    this.#deliver(packet.subarray(headerBytes));
  }
}
