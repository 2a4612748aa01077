import { isVideo, type MediaUnit } from '../codec/media-unit.ts';
import { TsMuxer } from '../mpegts/ts-muxer.ts';
import type { TsTracks } from '../mpegts/section-writer.ts';
import type { FlowInputDependencies } from './flow-part.ts';
import type { Pulsed } from './pulse.ts';
import { RateMeter } from './rate-meter.ts';

/** Puts the units of one source after another into the transport stream of a flow. */
export class UnitMuxer implements Pulsed {
  readonly #dependencies: Pick<FlowInputDependencies, 'pulse' | 'publish'>;
  readonly #muxer = new TsMuxer();
  readonly meter = new RateMeter();
  #tracks: TsTracks = { video: null, audio: null };
  /** Added to the times of this source; null until its first unit. */
  #shift: number | null = null;
  /** The time of the latest unit, on the line of the stream, and when it came. */
  #lastTime: number | null = null;
  #lastUs = 0;
  #waitsForKey = true;
  /** Pictures that could not be decoded, for want of a key frame. */
  skipped = 0;

  constructor(dependencies: Pick<FlowInputDependencies, 'pulse' | 'publish'>) {
    this.#dependencies = dependencies;
  }

  get nextUs(): number {
    return this.#muxer.nextUs;
  }

  start(): void {
    this.#dependencies.pulse.add(this);
  }

  stop(): void {
    this.#dependencies.pulse.remove(this);
  }

  tick(nowUs: number): void {
    this.#publish(nowUs, this.#muxer.tick(nowUs));
  }

  /** A new source follows, whose times begin anywhere: the stream goes on as if it had never stopped. */
  beginSource(): void {
    this.#shift = null;
    this.#waitsForKey = true;
    this.#tracks = { video: null, audio: null };
  }

  /** A stream of the source, which is in the tables from the next unit on. */
  addTrack(track: Partial<TsTracks>, parameterSets: readonly Buffer[] = []): void {
    this.#tracks = { ...this.#tracks, ...track };
    this.#muxer.setTracks(this.#tracks);
    this.#muxer.keepParameters(parameterSets);
  }

  push(unit: MediaUnit): void {
    const { nowUs } = this.#dependencies.pulse;
    if (isVideo(unit)) {
      if (this.#waitsForKey && !unit.isKey) {
        this.skipped++;
        return;
      }
      this.#waitsForKey = false;
    }
    const time = isVideo(unit) ? unit.dts : unit.pts;
    this.#shift ??= this.#shiftFor(nowUs, time);
    const shift = this.#shift;
    this.#lastTime = time + shift;
    this.#lastUs = nowUs;
    const moved = isVideo(unit)
      ? { ...unit, pts: unit.pts + shift, dts: unit.dts + shift }
      : { ...unit, pts: unit.pts + shift };
    this.#publish(nowUs, this.#muxer.push(nowUs, moved));
    this.#dependencies.pulse.poke(this.nextUs);
  }

  #shiftFor(nowUs: number, time: number): number {
    if (this.#lastTime === null) return 0;
    return this.#lastTime + Math.round(((nowUs - this.#lastUs) * 9) / 100) - time;
  }

  #publish(nowUs: number, chunks: readonly Buffer[]): void {
    for (const bytes of chunks) {
      this.meter.add(nowUs, bytes.length);
      this.#dependencies.publish(nowUs, { bytes, timeUs: nowUs, rtp: null });
    }
  }
}
