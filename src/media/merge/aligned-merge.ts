import { MergeCounters } from './merge-counters.ts';

const packetBytes = 188;
/** How much of the standby leg is kept. */
const ringUs = 500_000;
/** The running leg has stopped when it has been silent for so long; less than the ring, more than a key frame's pause. */
const silenceUs = 200_000;
/** So many packets in a row must be equal: fewer repeat by chance in padding and null packets. */
const matchPackets = 8;

interface Kept {
  readonly timeUs: number;
  readonly packet: Buffer;
}

/**
 * Two legs of raw TS carry no common number. One runs; the other waits in a ring, and takes over where its packets
 * equal the last ones that went out; without such a place, at its newest packet.
 */
export class AlignedMerge {
  readonly counters = new MergeCounters();
  readonly #emit: (nowUs: number, bytes: Buffer) => void;
  #running: 1 | 2 = 1;
  #runningSeenUs: number | null = null;
  #tail: Buffer[] = [];
  #standby: Kept[] = [];

  constructor(emit: (nowUs: number, bytes: Buffer) => void) {
    this.#emit = emit;
  }

  /** `bytes` are whole packets. */
  push(nowUs: number, leg: 1 | 2, bytes: Buffer): void {
    if (this.#runningSeenUs === null) this.#running = leg;
    if (leg === this.#running) {
      this.#runningSeenUs = nowUs;
      this.#pass(nowUs, bytes);
      return;
    }
    for (let at = 0; at < bytes.length; at += packetBytes) {
      this.#standby.push({ timeUs: nowUs, packet: bytes.subarray(at, at + packetBytes) });
    }
    this.#trim(nowUs);
    if (nowUs - (this.#runningSeenUs ?? 0) >= silenceUs) this.#switchTo(nowUs, leg);
  }

  /** The leg's connection has ended: the other need not wait for its silence. */
  onDisconnected(nowUs: number, leg: 1 | 2): void {
    if (leg !== this.#running || this.#standby.length === 0) return;
    this.#switchTo(nowUs, leg === 1 ? 2 : 1);
  }

  #switchTo(nowUs: number, leg: 1 | 2): void {
    const waiting = this.#standby;
    this.#running = leg;
    this.#runningSeenUs = nowUs;
    this.#standby = [];
    this.counters.switches++;
    const from = afterMatch(waiting, this.#tail.slice(-matchPackets));
    const rest = from === null ? waiting.slice(-1) : waiting.slice(from);
    if (from === null) this.counters.lost++;
    else this.counters.recovered += rest.length;
    for (const { packet } of rest) this.#pass(nowUs, packet);
  }

  #pass(nowUs: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += packetBytes) this.#tail.push(bytes.subarray(at, at + packetBytes));
    if (this.#tail.length > 4 * matchPackets) this.#tail = this.#tail.slice(-matchPackets);
    this.#emit(nowUs, bytes);
  }

  #trim(nowUs: number): void {
    let old = 0;
    while (old < this.#standby.length && nowUs - (this.#standby[old]?.timeUs ?? 0) > ringUs) old++;
    if (old > 0) this.#standby.splice(0, old);
  }
}

/** The place in `waiting` behind the latest run that equals `tail`; null without one. */
function afterMatch(waiting: readonly Kept[], tail: readonly Buffer[]): number | null {
  if (tail.length < matchPackets) return null;
  for (let start = waiting.length - tail.length; start >= 0; start--) {
    if (tail.every((packet, index) => waiting[start + index]?.packet.equals(packet) === true))
      return start + tail.length;
  }
  return null;
}
