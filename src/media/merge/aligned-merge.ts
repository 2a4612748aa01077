import { MergeCounters } from './merge-counters.ts';

const packetBytes = 188;
/** How much of the standby leg is kept, back from where the running one delivered last. */
const ringUs = 500_000;
/**
 * The running leg has stopped when it has been silent for so long; less than the ring, more than a key frame's pause.
 */
const silenceUs = 200_000;
/** How long the standby leg, which may be behind, has to reach the place where the running one stopped. */
const seekUs = 500_000;
/** So many packets in a row must be equal: fewer repeat by chance in padding and null packets. */
const matchPackets = 8;

interface Kept {
  readonly timeUs: number;
  readonly packet: Buffer;
}

/**
 * Two legs of raw TS carry no common number. One runs and the other waits in a ring. When the first stops, the other
 * takes over where its packets equal the last ones that went out; it may get there a little later. Without such a
 * place it takes over at its newest packet.
 */
export class AlignedMerge {
  readonly counters = new MergeCounters();
  readonly #emit: (nowUs: number, bytes: Buffer) => void;
  #running: 1 | 2 = 1;
  #runningSeenUs: number | null = null;
  #tail: Buffer[] = [];
  #standby: Kept[] = [];
  /** Until when the place to go on is looked for; null while the running leg delivers. */
  #seekUntilUs: number | null = null;

  constructor(emit: (nowUs: number, bytes: Buffer) => void) {
    this.#emit = emit;
  }

  /** `bytes` are whole packets. */
  push(nowUs: number, leg: 1 | 2, bytes: Buffer): void {
    if (this.#runningSeenUs === null) this.#running = leg;
    if (leg === this.#running) {
      this.#runningSeenUs = nowUs;
      this.#seekUntilUs = null;
      this.#pass(nowUs, bytes);
      return;
    }
    for (let at = 0; at < bytes.length; at += packetBytes) {
      this.#standby.push({ timeUs: nowUs, packet: bytes.subarray(at, at + packetBytes) });
    }
    this.#trim();
    if (this.#seekUntilUs !== null) this.#seek(nowUs, leg, bytes.length / packetBytes);
    else if (nowUs - (this.#runningSeenUs ?? 0) >= silenceUs) this.#startSeeking(nowUs, leg);
  }

  /** The leg's connection has ended: the other need not wait for its silence. */
  onDisconnected(nowUs: number, leg: 1 | 2): void {
    if (leg === this.#running && this.#seekUntilUs === null) this.#startSeeking(nowUs, leg === 1 ? 2 : 1);
  }

  #startSeeking(nowUs: number, leg: 1 | 2): void {
    this.#seekUntilUs = nowUs + seekUs;
    this.#seek(nowUs, leg, this.#standby.length);
  }

  /** Takes over when the place is among the newest `packets` of the standby leg, or when time is up. */
  #seek(nowUs: number, leg: 1 | 2, packets: number): void {
    const tail = this.#tail.slice(-matchPackets);
    const from = afterMatch(this.#standby, tail, packets);
    const isLate = this.#seekUntilUs !== null && nowUs >= this.#seekUntilUs;
    if (this.#standby.length === 0 || (from === null && !isLate)) return;
    const rest = from === null ? this.#standby.slice(-1) : this.#standby.slice(from);
    this.#running = leg;
    this.#runningSeenUs = nowUs;
    this.#standby = [];
    this.#seekUntilUs = null;
    this.counters.switches++;
    if (from === null) this.counters.lost++;
    else this.counters.recovered += rest.length;
    for (const { packet } of rest) this.#pass(nowUs, packet);
  }

  #pass(nowUs: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += packetBytes) this.#tail.push(bytes.subarray(at, at + packetBytes));
    if (this.#tail.length > 4 * matchPackets) this.#tail = this.#tail.slice(-matchPackets);
    this.#emit(nowUs, bytes);
  }

  /** While the running leg is silent nothing is dropped, nor when this end stood still: the place may be there. */
  #trim(): void {
    const keptSinceUs = (this.#runningSeenUs ?? 0) - ringUs;
    let old = 0;
    while (old < this.#standby.length && (this.#standby[old]?.timeUs ?? 0) < keptSinceUs) old++;
    if (old > 0) this.#standby.splice(0, old);
  }
}

/**
 * The place in `waiting` behind the latest run that equals `tail` and ends in the newest `packets`; null without one.
 */
function afterMatch(waiting: readonly Kept[], tail: readonly Buffer[], packets: number): number | null {
  if (tail.length < matchPackets) return null;
  const latest = waiting.length - tail.length;
  for (let start = latest; start >= Math.max(0, latest - packets + 1); start--) {
    if (tail.every((packet, index) => waiting[start + index]?.packet.equals(packet) === true))
      return start + tail.length;
  }
  return null;
}
