import { AckLog } from './ack-log.ts';
import { ArrivalRate } from './arrival-rate.ts';
import { LossReports, type LossReportsDependencies, type LossReportsSettings } from './loss-reports.ts';
import { dataFlags, encodeFullAck, encodeLightAck, headerBytes, type SequenceRange } from './packet.ts';
import { nothing, ReceiveBuffer } from './receive-buffer.ts';
import type { ReceiveKeys } from './receive-keys.ts';
import { sequenceDistance } from './sequence.ts';
import type { Tsbpd } from './tsbpd.ts';

export interface ReceiverDependencies extends LossReportsDependencies {
  /** A payload at its time, which is `dueUs`; it may be a little later now. */
  readonly deliver: (payload: Buffer, dueUs: number) => void;
  readonly tsbpd: Tsbpd;
  readonly keys: ReceiveKeys;
}

export interface ReceiverSettings extends LossReportsSettings {
  readonly bufferPackets: number;
  readonly tooLateDrop: boolean;
}

const ackPeriodUs = 10_000;
const packetsPerLightAck = 64;

/** The receiving half of a connection: acknowledgements and delivery in time. */
export class Receiver {
  readonly #dependencies: ReceiverDependencies;
  readonly #settings: ReceiverSettings;
  readonly #buffer: ReceiveBuffer;
  readonly #losses: LossReports;
  readonly #acks = new AckLog();
  /** The first packet that has neither arrived nor been given up. */
  #acknowledged: number;
  #ackedSent: number;
  #ackAtUs = 0;
  #sinceAck = 0;
  #deliverAtUs = Number.POSITIVE_INFINITY;
  /** Until then nothing missing is given up (see `onStall`). */
  #patientUntilUs = 0;
  /** When this end went on after it had stood still. */
  #stalledUs = 0;
  readonly #rate = new ArrivalRate();

  constructor(dependencies: ReceiverDependencies, settings: ReceiverSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#buffer = new ReceiveBuffer(settings.bufferPackets, settings.initialSequence);
    this.#losses = new LossReports(dependencies, settings, this.#buffer);
    this.#acknowledged = settings.initialSequence;
    this.#ackedSent = settings.initialSequence;
  }

  /** Packets that wait for their time. */
  get held(): number {
    return this.#buffer.held;
  }

  get bytesPerSecond(): number {
    return this.#rate.bytesPerSecond;
  }

  /** When `tick` has something to do. */
  get nextUs(): number {
    const ackUs = this.#ackDue() ? this.#ackAtUs : Number.POSITIVE_INFINITY;
    return Math.min(ackUs, this.#losses.nextUs, this.#deliverAtUs);
  }

  /** Takes the packet over: its payload is decrypted in place and delivered later. */
  onData(nowUs: number, packet: Buffer): void {
    const { counters, tsbpd, keys } = this.#dependencies;
    const sequence = packet.readUInt32BE(0);
    const flags = packet.readUInt32BE(4);
    const bytes = packet.length - headerBytes;
    counters.packetsReceived++;
    counters.bytesReceived += bytes;
    const retransmitted = (flags & dataFlags.retransmitted) !== 0;
    if (retransmitted) counters.packetsReceivedRetransmitted++;
    this.#rate.add(nowUs, bytes);
    if (!this.#room(sequence)) return;
    counters.packetsReceivedUnique++;
    counters.bytesReceivedUnique += bytes;
    const timestamp = tsbpd.extend(packet.readUInt32BE(8));
    const readable = keys.decrypt(flags, sequence, packet);
    if (!readable) {
      counters.packetsUndecrypted++;
      counters.bytesUndecrypted += bytes;
    }
    this.#buffer.insert(sequence, readable ? packet : nothing, timestamp);
    this.#deliverAtUs = Math.min(this.#deliverAtUs, tsbpd.dueUs(timestamp));
    this.#afterInsert(nowUs, sequence, retransmitted);
  }

  /** Timestamps of control packets count the wraps of a connection that carries no data for half an hour. */
  onTimestamp(timestamp: number): void {
    this.#dependencies.tsbpd.extend(timestamp);
  }

  /** Without data there is no ACKACK, but the peer's clock runs on. */
  onKeepAlive(nowUs: number, timestamp: number): void {
    const { roundTrip, tsbpd } = this.#dependencies;
    if (nowUs < this.#patientUntilUs) return;
    tsbpd.sample(nowUs, timestamp, roundTrip.measured ? roundTrip.rttUs : null);
  }

  onAckAck(nowUs: number, number: number, timestamp: number): void {
    const { roundTrip, tsbpd } = this.#dependencies;
    const sentUs = this.#acks.confirm(number);
    // One that waited in the socket measures how long this end stood still.
    if (sentUs === null || sentUs < this.#stalledUs) return;
    roundTrip.update(nowUs - sentUs);
    tsbpd.sample(nowUs, timestamp, roundTrip.rttUs);
  }

  /**
   * This end stood still for `stallUs`: what is missing may wait in its socket. It has as long again to be read before
   * anything is given up, at most the latency.
   */
  onStall(nowUs: number, stallUs: number): void {
    this.#stalledUs = nowUs;
    this.#patientUntilUs = nowUs + Math.min(stallUs, this.#dependencies.tsbpd.latencyUs);
  }

  /** The peer will not send these again. */
  onDropRequest(nowUs: number, range: SequenceRange): void {
    this.#dependencies.counters.packetsReceiveDrop += this.#buffer.dropRange(range);
    this.#deliverAtUs = nowUs;
    this.#advanceAcknowledged();
  }

  tick(nowUs: number): void {
    this.deliver(nowUs);
    this.#losses.tick(nowUs, this.#acknowledged);
    if (this.#ackDue() && nowUs >= this.#ackAtUs) this.#sendFullAck(nowUs);
  }

  /** Hands on all that is there before its time: the peer has ended, and nothing more will come. */
  flush(): void {
    for (let first = this.#buffer.firstHeld(); first !== null; first = this.#buffer.firstHeld()) this.#handOn(first);
  }

  /** Hands on everything of which the time has come. */
  deliver(nowUs: number): void {
    const buffer = this.#buffer;
    if (nowUs < this.#deliverAtUs) return;
    this.#deliverAtUs = Number.POSITIVE_INFINITY;
    for (let first = buffer.firstHeld(); first !== null; first = buffer.firstHeld()) {
      if (first !== buffer.head && !this.#settings.tooLateDrop) return;
      const dueUs = this.#dependencies.tsbpd.dueUs(buffer.timestampOf(first));
      const isHole = first !== buffer.head;
      const fromUs = isHole ? Math.max(dueUs, this.#patientUntilUs) : dueUs;
      if (fromUs > nowUs) {
        this.#deliverAtUs = fromUs;
        return;
      }
      this.#handOn(first);
    }
  }

  /** The first packet that is there, past what is missing before it. */
  #handOn(first: number): void {
    const buffer = this.#buffer;
    const dueUs = this.#dependencies.tsbpd.dueUs(buffer.timestampOf(first));
    if (first !== buffer.head) this.#giveUpTo(first);
    const packet = buffer.take();
    if (packet.length > headerBytes) this.#dependencies.deliver(packet.subarray(headerBytes), dueUs);
  }

  #afterInsert(nowUs: number, sequence: number, retransmitted: boolean): void {
    const { counters } = this.#dependencies;
    const buffer = this.#buffer;
    const behind = sequenceDistance(buffer.next, sequence) - 1;
    if (behind > 0) {
      if (!retransmitted) counters.reorderDistance = Math.max(counters.reorderDistance, behind);
    } else {
      this.#losses.reportNew(nowUs);
    }
    if (sequence === this.#acknowledged) this.#advanceAcknowledged();
    this.deliver(nowUs);
    this.#sinceAck++;
    if (this.#sinceAck >= packetsPerLightAck) this.#sendLightAck();
    if (this.#ackAtUs === 0) this.#ackAtUs = nowUs + ackPeriodUs;
  }

  /** Whether the buffer takes the packet; counts it when not. */
  #room(sequence: number): boolean {
    const { counters } = this.#dependencies;
    const found = this.#buffer.place(sequence);
    if (found === 'belated') counters.packetsBelated++;
    if (found !== 'overflow') return found === 'free';
    if (this.#buffer.held > 0) {
      counters.packetsReceiveOverflow++;
      return false;
    }
    this.#restartAt(sequence);
    return true;
  }

  #giveUpTo(sequence: number): void {
    this.#dependencies.counters.packetsReceiveDrop += this.#buffer.skipTo(sequence);
    this.#advanceAcknowledged();
  }

  #restartAt(sequence: number): void {
    this.#dependencies.counters.packetsReceiveDrop += sequenceDistance(sequence, this.#buffer.head);
    this.#buffer.restartAt(sequence);
    this.#acknowledged = sequence;
    this.#losses.restartAt(sequence);
  }

  #advanceAcknowledged(): void {
    const { head } = this.#buffer;
    const from = sequenceDistance(head, this.#acknowledged) > 0 ? head : this.#acknowledged;
    this.#acknowledged = this.#buffer.firstMissing(from);
  }

  /** Packets that are not acknowledged yet, or an acknowledgement that the peer has not confirmed. */
  #ackDue(): boolean {
    return this.#acknowledged !== this.#ackedSent || this.#acks.open;
  }

  #sendFullAck(nowUs: number): void {
    const { roundTrip, counters, send } = this.#dependencies;
    const moved = this.#acknowledged !== this.#ackedSent;
    const number = this.#acks.add(nowUs);
    this.#ackedSent = this.#acknowledged;
    this.#sinceAck = 0;
    this.#ackAtUs = nowUs + (moved ? ackPeriodUs : Math.max(ackPeriodUs, roundTrip.timeoutUs));
    counters.acksSent++;
    send(
      encodeFullAck(number, {
        next: this.#acknowledged,
        rttUs: roundTrip.rttUs,
        rttVarianceUs: roundTrip.varianceUs,
        availableBuffer: Math.max(2, this.#buffer.free),
        packetsPerSecond: this.#rate.packetsPerSecond,
        // Packet pairs cannot be timed from an event loop; the peer only shows this figure.
        linkCapacity: this.#rate.packetsPerSecond,
        bytesPerSecond: this.#rate.bytesPerSecond,
      }),
    );
  }

  #sendLightAck(): void {
    this.#sinceAck = 0;
    this.#dependencies.counters.acksSent++;
    this.#dependencies.send(encodeLightAck(this.#acknowledged));
  }
}
