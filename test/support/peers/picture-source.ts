import { createSocket } from 'node:dgram';
import { SystemClock } from '../../../src/lib/clock.ts';
import type { MediaUnit } from '../../../src/media/codec/media-unit.ts';
import { TsMuxer } from '../../../src/media/mpegts/ts-muxer.ts';
import { opusPacket, picture } from '../media/media-samples.ts';

const frameTicks = 3600;
const soundTicks = 1800;
const keyEvery = 12;

export interface PictureSourceOptions {
  readonly withSound?: boolean;
  /** Every third picture is shown before the one that came before it. */
  readonly withBFrames?: boolean;
}

/** An encoder that sends 25 pictures a second, H.264 in MPEG-TS over UDP, each one of its own content. */
export class PictureSource implements Disposable {
  readonly #socket = createSocket('udp4');
  readonly #muxer = new TsMuxer();
  readonly #port: number;
  readonly #options: PictureSourceOptions;
  readonly #clock = new SystemClock();
  readonly #timer = this.#clock.setInterval(() => this.#frame(), 40);
  frames = 0;

  constructor(port: number, options: PictureSourceOptions = {}) {
    this.#port = port;
    this.#options = options;
    this.#socket.unref();
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
    this.#socket.close();
  }

  #frame(): void {
    const number = this.frames++;
    const dts = number * frameTicks;
    const isKey = number % keyEvery === 0;
    const delay = this.#options.withBFrames === true ? (number % 3 === 1 ? 3 : number % 3 === 2 ? 0 : 1) : 0;
    this.#send(picture('h264', dts, isKey, isKey ? 20_000 : 3000, dts + delay * frameTicks));
    if (this.#options.withSound !== true) return;
    for (const pts of [dts, dts + soundTicks]) this.#send(opusPacket(pts));
  }

  #send(unit: MediaUnit): void {
    for (const chunk of this.#muxer.push(this.#clock.monotonicMs() * 1000, unit)) {
      this.#socket.send(chunk, this.#port, '127.0.0.1');
    }
  }
}
