import { TsMuxer } from '../../src/media/mpegts/ts-muxer.ts';

const framesPerSecond = 25;
const ticksPerSecond = 90_000;
const keyEvery = 25;
/** Of x264, baseline, 1280 × 720: mediamtx reads them. */
const parameterSets = ['6742c01fda014016ec0440000003004000000ca3c60ca8', '68ce0fc8'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

/** H.264 in MPEG-TS at a steady rate: the pictures are all of one size, and go out evenly between their times. */
export class StreamMaker {
  readonly #muxer = new TsMuxer();
  readonly #bytesPerPicture: number;
  #frames = 0;
  #waiting: Buffer[] = [];
  #perPicture = 1;
  #sentOfPicture = 0;

  constructor(bitsPerSecond: number) {
    // TS headers and the filling of each picture's last packet take some 3 %.
    this.#bytesPerPicture = Math.round((bitsPerSecond * 0.97) / 8 / framesPerSecond);
  }

  /** What is to be sent until then, in chunks of at most seven packets. */
  upTo(elapsedMs: number): Buffer[] {
    const due = (elapsedMs / 1000) * framesPerSecond;
    const chunks: Buffer[] = [];
    while (this.#frames - 1 + this.#sentOfPicture / this.#perPicture < due) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) this.#next();
      else {
        chunks.push(chunk);
        this.#sentOfPicture++;
      }
    }
    return chunks;
  }

  #next(): void {
    const dts = (this.#frames * ticksPerSecond) / framesPerSecond;
    const isKey = this.#frames % keyEvery === 0;
    const slice = Buffer.alloc(this.#bytesPerPicture, 0x55);
    slice[0] = isKey ? 0x65 : 0x41;
    const nals = isKey ? [...parameterSets, slice] : [slice];
    const nowUs = (this.#frames * 1e6) / framesPerSecond;
    this.#waiting = [...this.#muxer.push(nowUs, { codec: 'h264', pts: dts, dts, isKey, nals })];
    this.#perPicture = this.#waiting.length;
    this.#sentOfPicture = 0;
    this.#frames++;
  }
}
