import { encodeNak } from './loss-list.ts';
import type { SequenceRange } from './packet.ts';
import type { ReceiveBuffer } from './receive-buffer.ts';
import type { RoundTrip } from './round-trip.ts';
import { sequenceAdd, sequenceDistance } from './sequence.ts';
import type { SrtCounters } from './srt-counters.ts';

export interface LossReportsDependencies {
  /** Sends a control packet; the rest of its header is filled in. */
  readonly send: (packet: Buffer) => void;
  readonly roundTrip: RoundTrip;
  readonly counters: SrtCounters;
}

export interface LossReportsSettings {
  readonly initialSequence: number;
  /** A hole is reported once so many later packets have arrived: they may only have been reordered. */
  readonly lossMaxTtl: number;
}

const periodFloorUs = 20_000;
/** How often the holes are searched for those to report again. Each is reported at the tick nearest to its time. */
const tickUs = 10_000;

/** Reports missing packets to the sender (NAK): once when a later packet reveals them, then again until they arrive. */
export class LossReports {
  readonly #dependencies: LossReportsDependencies;
  readonly #lossMaxTtl: number;
  readonly #buffer: Pick<ReceiveBuffer, 'head' | 'next' | 'missing' | 'report'>;
  /** Missing packets before this one were reported at least once. */
  #reportedUpTo: number;
  #againAtUs = Number.POSITIVE_INFINITY;

  constructor(
    dependencies: LossReportsDependencies,
    { initialSequence, lossMaxTtl }: LossReportsSettings,
    buffer: Pick<ReceiveBuffer, 'head' | 'next' | 'missing' | 'report'>,
  ) {
    this.#dependencies = dependencies;
    this.#lossMaxTtl = lossMaxTtl;
    this.#buffer = buffer;
    this.#reportedUpTo = initialSequence;
  }

  /** When `tick` has something to do. */
  get nextUs(): number {
    return this.#againAtUs;
  }

  /** The buffer begins anew with this packet. */
  restartAt(sequence: number): void {
    this.#reportedUpTo = sequence;
  }

  /** Reports at once what a packet beyond the expected one has shown to be missing. */
  reportNew(nowUs: number): void {
    const { head, next } = this.#buffer;
    const until = sequenceAdd(next, -1 - this.#lossMaxTtl);
    if (sequenceDistance(head, this.#reportedUpTo) > 0) this.#reportedUpTo = head;
    const count = sequenceDistance(until, this.#reportedUpTo);
    if (count <= 0) {
      if (count === 0 && this.#lossMaxTtl === 0) this.#reportedUpTo = next;
      return;
    }
    const ranges = this.#buffer.report(nowUs / 1000 + 1, 0, this.#reportedUpTo, until);
    this.#reportedUpTo = this.#lossMaxTtl === 0 ? next : until;
    if (ranges.length === 0) return;
    for (const { first, last } of ranges) {
      this.#dependencies.counters.packetsReceiveLoss += sequenceDistance(last, first) + 1;
    }
    this.#send(ranges);
    this.#againAtUs = Math.min(this.#againAtUs, nowUs + this.#periodUs());
  }

  /** Reports again what is still missing from packet `from` on. Does nothing before `nextUs`. */
  tick(nowUs: number, from: number): void {
    if (nowUs < this.#againAtUs) return;
    if (this.#buffer.missing === 0) {
      this.#againAtUs = Number.POSITIVE_INFINITY;
      return;
    }
    if (sequenceDistance(this.#reportedUpTo, from) > 0) {
      const againMs = (this.#periodUs() - tickUs / 2) / 1000;
      const ranges = this.#buffer.report(nowUs / 1000 + 1, againMs, from, this.#reportedUpTo);
      if (ranges.length > 0) this.#send(ranges);
    }
    this.#againAtUs = nowUs + tickUs;
  }

  /**
   * Half of what would be patient (draft-sharabayko-srt-01 §4.8.2): the report itself may be lost too. Before a round
   * trip is measured the guess may be longer than the latency.
   */
  #periodUs(): number {
    const { measured, timeoutUs } = this.#dependencies.roundTrip;
    return measured ? Math.max(periodFloorUs, timeoutUs / 2) : periodFloorUs;
  }

  #send(ranges: readonly SequenceRange[]): void {
    this.#dependencies.counters.naksSent++;
    this.#dependencies.send(encodeNak(ranges));
  }
}
