import { readFile } from 'node:fs/promises';
import { nalRole, splitAnnexB } from '../../media/codec/nal.ts';
import { ticksPerSecond, type VideoUnit } from '../../media/codec/media-unit.ts';
import { TsMuxer } from '../../media/mpegts/ts-muxer.ts';

/**
 * Four seconds of ffmpeg's moving test picture, H.264 baseline without B-frames, one slice a picture, a key frame a
 * second: `ffmpeg -f lavfi -i testsrc2=size=320x180:rate=15 -t 4 -c:v libx264 -preset veryslow -profile:v baseline
 * -pix_fmt yuv420p -g 15 -keyint_min 15 -sc_threshold 0 -bf 0 -crf 31 -x264-params slices=1:threads=1 -bsf:v
 * filter_units=remove_types=6 -f h264 test-picture.h264`
 */
const file = new URL('test-picture.h264', import.meta.url);
const picturesPerSecond = 15;

/** A transport stream with the test picture, which begins again at its end without a jump in time. */
export class TestPicture {
  readonly #pictures: readonly (readonly Buffer[])[];
  readonly #muxer = new TsMuxer();
  #startUs: number | null = null;
  #count = 0;

  private constructor(pictures: readonly (readonly Buffer[])[]) {
    this.#pictures = pictures;
  }

  static async load(): Promise<TestPicture> {
    return new TestPicture(picturesOf(await readFile(file)));
  }

  /** What is due by now: chunks of at most seven packets of 188 bytes. Times are monotonic, in µs. */
  due(nowUs: number): readonly Buffer[] {
    this.#startUs ??= nowUs;
    const until = Math.floor(((nowUs - this.#startUs) * picturesPerSecond) / 1e6);
    const chunks: Buffer[] = [];
    for (; this.#count <= until; this.#count++) chunks.push(...this.#muxer.push(nowUs, this.#next()));
    return chunks;
  }

  #next(): VideoUnit {
    const nals = this.#pictures[this.#count % this.#pictures.length] ?? [];
    const time = (this.#count * ticksPerSecond) / picturesPerSecond;
    return { codec: 'h264', pts: time, dts: time, isKey: nals.some((nal) => nalRole('h264', nal) === 'key'), nals };
  }
}

/** Each picture ends with its only slice. */
function picturesOf(bytes: Buffer): Buffer[][] {
  const pictures: Buffer[][] = [];
  let current: Buffer[] = [];
  for (const nal of splitAnnexB(bytes)) {
    current.push(nal);
    if (!['key', 'picture'].includes(nalRole('h264', nal))) continue;
    pictures.push(current);
    current = [];
  }
  return pictures;
}
