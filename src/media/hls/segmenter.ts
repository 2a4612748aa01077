import { CutPoints } from '../mpegts/cut-points.ts';

export interface Segment {
  readonly number: number;
  readonly durationSecs: number;
  /** The time line breaks in front of it. */
  readonly isDiscontinuous: boolean;
  readonly bytes: Buffer;
}

export interface SegmenterSettings {
  readonly durationSecs: number;
}

const packetBytes = 188;
/** 4 s at 128 Mbit/s; a longer segment is cut there for want of memory, and dropped. */
const maxSegmentBytes = 64 * 1_048_576;
const wrap = 2 ** 33;
const ticksPerSecond = 90_000;
/** Without a key frame for so many durations the stream cannot be cut. */
const mostDurations = 10;

interface Open {
  readonly startPts: number | null;
  readonly startUs: number;
  readonly isDiscontinuous: boolean;
  readonly parts: Buffer[];
  bytes: number;
}

/** Cuts a transport stream into segments (RFC 8216 §3.2): each begins with PAT, PMT and a key frame. Pure. */
export class Segmenter {
  readonly #settings: SegmenterSettings;
  readonly #cuts = new CutPoints();
  #open: Open | null = null;
  #next = 0;
  #hasBroken = false;
  /** When the latest key frame came, or the first packet. */
  #keyUs: number | null = null;
  /** Packets before the first key frame, or of what was too long. */
  dropped = 0;

  constructor(settings: SegmenterSettings) {
    this.#settings = settings;
  }

  /** `bytes` are whole packets. Returns the segments that are complete now. */
  push(nowUs: number, bytes: Buffer): readonly Segment[] {
    this.#keyUs ??= nowUs;
    const segments: Segment[] = [];
    let from = 0;
    for (let at = 0; at + packetBytes <= bytes.length; at += packetBytes) {
      const point = this.#cuts.look(bytes.subarray(at, at + packetBytes));
      if (point === null) continue;
      this.#keyUs = nowUs;
      const tables = this.#cuts.tables;
      if (tables === null || (this.#open !== null && !this.#isLongEnough(this.#open, nowUs, point.pts))) continue;
      this.#add(bytes.subarray(from, at));
      from = at;
      const segment = this.#close(nowUs, point.pts);
      if (segment !== null) segments.push(segment);
      this.#begin(nowUs, point.pts, tables);
    }
    this.#add(bytes.subarray(from));
    return segments;
  }

  /** How long no key frame has come, once that is ten times the duration; null before. */
  keylessSecs(nowUs: number): number | null {
    if (this.#keyUs === null) return null;
    const seconds = (nowUs - this.#keyUs) / 1e6;
    return seconds >= mostDurations * this.#settings.durationSecs ? Math.round(seconds) : null;
  }

  #begin(nowUs: number, pts: number | null, tables: readonly Buffer[]): void {
    const bytes = tables.length * packetBytes;
    this.#open = { startPts: pts, startUs: nowUs, isDiscontinuous: this.#hasBroken, parts: [...tables], bytes };
    this.#hasBroken = false;
  }

  #add(part: Buffer): void {
    const open = this.#open;
    if (open === null || part.length === 0) {
      this.dropped += part.length / packetBytes;
      return;
    }
    open.parts.push(part);
    open.bytes += part.length;
    if (open.bytes <= maxSegmentBytes) return;
    this.dropped += open.bytes / packetBytes;
    this.#open = null;
    this.#hasBroken = true;
  }

  #close(nowUs: number, pts: number | null): Segment | null {
    const open = this.#open;
    if (open === null) return null;
    const durationSecs = this.#durationOf(open, nowUs, pts);
    if (mediaSecs(open.startPts, pts) === null) this.#hasBroken = true;
    const { isDiscontinuous, parts, bytes } = open;
    return { number: this.#next++, durationSecs, isDiscontinuous, bytes: Buffer.concat(parts, bytes) };
  }

  #isLongEnough(open: Open, nowUs: number, pts: number | null): boolean {
    // Behind a break of the time line a new segment begins, however short this one is.
    if (open.startPts !== null && pts !== null && mediaSecs(open.startPts, pts) === null) return true;
    // Half a picture: 2 s of pictures at 29.97 a second are a little less than 2 s.
    return this.#durationOf(open, nowUs, pts) >= this.#settings.durationSecs - 0.02;
  }

  /** In the stream's own time; where that makes no sense, in ours. */
  #durationOf({ startPts, startUs }: Open, nowUs: number, pts: number | null): number {
    return mediaSecs(startPts, pts) ?? Math.max(0.001, (nowUs - startUs) / 1e6);
  }
}

/** Seconds from one time to the other; null where the time line has broken. */
function mediaSecs(from: number | null, to: number | null): number | null {
  if (from === null || to === null) return null;
  const seconds = ((((to - from) % wrap) + wrap) % wrap) / ticksPerSecond;
  return seconds > 0 && seconds < 120 ? seconds : null;
}
