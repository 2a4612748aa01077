import { adtsHeader, maxAacFrameBytes } from '../codec/aac.ts';
import { isVideo, type AudioUnit, type MediaUnit, type VideoUnit } from '../codec/media-unit.ts';
import { ParameterSets } from '../codec/parameter-sets.ts';
import { muxPids } from './mux-pids.ts';
import { PacketWriter, type PacketMarks } from './packet-writer.ts';
import { encodePes, pesStreamIds } from './pes.ts';
import { encodePat, encodePmt, pcrPidOf, type TsTracks } from './section-writer.ts';

/** All times are moved by this, so that no clock is negative at the start. 90 kHz, like all here. */
const offset = 90_000;
/** How far the clock is behind the time at which a picture is decoded: what the receiver may need to collect it. */
const clockLead = 18_000;
/** Clocks are at most 40 ms apart, in their own time. */
const clockPeriod = 3600;
/** Sound writes a clock beside that of the pictures when the last one is so old. */
const soundClockPeriod = 2700;
/** Where nothing comes for so long, the clock goes on by itself. */
const clockIdleUs = 60_000;
/** It stops again before it reaches the times of what is still to come. */
const mostIdleAdvance = clockLead / 2;
/** PAT and PMT are written when the last ones are so old: then they are never more than 100 ms apart. */
const tablePeriod = 9000 - clockPeriod;
/** A source that leaps farther than this has a new time line; sound and pictures are never so far apart. */
const leap = 450_000;

const startCode = Buffer.from([0, 0, 0, 1]);

/** Puts pictures and sound into a transport stream. Pure: times are handed in. */
export class TsMuxer {
  readonly #writer = new PacketWriter();
  #tracks: TsTracks = { video: null, audio: null };
  #version = 0;
  #sets: ParameterSets | null = null;
  /** The latest clock that was written; null before the first one. */
  #clock: number | null = null;
  #clockAtUs = 0;
  /** The clock that belongs to the latest unit. */
  #unitClock = 0;
  /** The clock at the latest tables; null where new ones are due. */
  #tablesAt: number | null = null;

  /** When `tick` has to be called; Infinity for never. */
  get nextUs(): number {
    const idles = this.#clock !== null && this.#clock - this.#unitClock < mostIdleAdvance;
    return idles ? this.#clockAtUs + clockIdleUs : Number.POSITIVE_INFINITY;
  }

  /** Which streams there are. A unit of a stream that was not named adds it: the PMT gets a new version. */
  setTracks(tracks: TsTracks): void {
    const { video, audio } = this.#tracks;
    if (tracks.video === video && tracks.audio === audio) return;
    if (tracks.video !== video) this.#sets = tracks.video === null ? null : new ParameterSets(tracks.video);
    this.#tracks = tracks;
    this.#version = (this.#version + 1) & 31;
    this.#tablesAt = null;
  }

  /** Parameter sets from outside the stream, for key frames that come without. */
  keepParameters(nals: readonly Buffer[]): void {
    this.#sets?.keep(nals);
  }

  /** The packets of a unit, in chunks of at most seven. */
  push(nowUs: number, unit: MediaUnit): readonly Buffer[] {
    // No decoder makes such a frame: it is not carried.
    if (unit.codec === 'aac' && unit.frame.length > maxAacFrameBytes) return [];
    this.setTracks({ ...this.#tracks, ...(isVideo(unit) ? { video: unit.codec } : { audio: unit.codec }) });
    const time = isVideo(unit) ? unit.dts : unit.pts;
    const clock = this.#advance(nowUs, time + offset - clockLead, isVideo(unit) ? muxPids.video : muxPids.audio);
    if (this.#tablesAt === null || (isVideo(unit) && unit.isKey)) this.#tables();
    if (isVideo(unit)) this.#video(unit, clock);
    else this.#audio(unit, clock);
    return this.#writer.take();
  }

  /** Keeps the clock going where nothing comes. */
  tick(nowUs: number): readonly Buffer[] {
    if (this.#clock === null || nowUs < this.nextUs) return [];
    const elapsed = Math.round(((nowUs - this.#clockAtUs) * 9) / 100);
    this.#fill(nowUs, Math.min(this.#clock + elapsed, this.#unitClock + mostIdleAdvance), 0);
    return this.#writer.take();
  }

  /** Brings the clock up to a unit, in steps. Returns the marks for its first packet. */
  #advance(nowUs: number, target: number, pid: number): PacketMarks {
    const last = this.#clock;
    const discontinuity = last !== null && Math.abs(target - last) > leap;
    this.#unitClock = target;
    if (last !== null && !discontinuity) {
      if (target <= last) return {};
      this.#fill(nowUs, target, clockPeriod);
      if (pid !== this.#clockPid && target - (this.#clock ?? 0) < soundClockPeriod) return {};
    } else {
      this.#tablesAt = null;
    }
    this.#setClock(nowUs, target);
    const marks = { pcr: target * 300, discontinuity };
    if (pid === this.#clockPid) return marks;
    this.#writer.clock(this.#clockPid, marks);
    return {};
  }

  /** Writes clocks no farther apart than the period until `target` is no farther than `within`. */
  #fill(nowUs: number, target: number, within: number): void {
    for (let last = this.#clock ?? target; target - last > within; last = this.#clock ?? target) {
      const next = Math.min(last + clockPeriod, target);
      this.#setClock(nowUs, next);
      this.#writer.clock(this.#clockPid, { pcr: next * 300 });
    }
  }

  #setClock(nowUs: number, clock: number): void {
    this.#clock = clock;
    this.#clockAtUs = nowUs;
    if (this.#tablesAt === null || clock - this.#tablesAt >= tablePeriod) this.#tables();
  }

  get #clockPid(): number {
    return pcrPidOf(this.#tracks);
  }

  #tables(): void {
    if (this.#tablesAt === this.#clock) return;
    this.#tablesAt = this.#clock ?? 0;
    this.#writer.section(muxPids.pat, encodePat());
    this.#writer.section(muxPids.pmt, encodePmt(this.#tracks, this.#version));
  }

  #video(unit: VideoUnit, clock: PacketMarks): void {
    const nals = this.#sets?.complete(unit) ?? unit.nals;
    const parts = nals.flatMap((nal) => [startCode, nal]);
    const pes = encodePes(pesStreamIds.video, unit.pts + offset, unit.dts + offset, parts);
    this.#writer.pes(muxPids.video, pes, { ...clock, randomAccess: unit.isKey });
  }

  #audio(unit: AudioUnit, clock: PacketMarks): void {
    const { pts, frame } = unit;
    const header = unit.codec === 'aac' ? adtsHeader(unit.config, frame.length) : opusControlHeader(frame.length);
    const streamId = unit.codec === 'aac' ? pesStreamIds.audio : pesStreamIds.private;
    const pes = encodePes(streamId, pts + offset, pts + offset, [header, frame]);
    this.#writer.pes(muxPids.audio, pes, { ...clock, randomAccess: true });
  }
}

/** In front of each Opus packet (ETSI TS Opus 0.1.3-draft §4.2): a prefix of 11 bits, no flags, the length. */
function opusControlHeader(bytes: number): Buffer {
  const full = Math.floor(bytes / 255);
  return Buffer.from([0x7f, 0xe0, ...new Array<number>(full).fill(0xff), bytes % 255]);
}
