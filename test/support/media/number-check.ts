import { numberedTs } from './numbered-ts.ts';

const packetBytes = 188;

/** What came out of a numbered stream. */
export interface NumberCount {
  readonly packets: number;
  /** Places where numbers are missing, and how many numbers. */
  readonly gaps: number;
  readonly missing: number;
  /** Packets that came after a later one, or twice. */
  readonly repeated: number;
}

/** Follows a numbered transport stream as it comes out, for hours. */
export class NumberCheck {
  readonly #count = { packets: 0, gaps: 0, missing: 0, repeated: 0 };
  #last = -1;
  #rest: Buffer = Buffer.alloc(0);

  get count(): NumberCount {
    return { ...this.#count };
  }

  /** Bytes of a stream, in parts of any size. Throws on a packet that nobody has sent. */
  push(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const whole = all.length - (all.length % packetBytes);
    for (let at = 0; at < whole; at += packetBytes) this.#take(all.subarray(at, at + packetBytes));
    this.#rest = all.subarray(whole);
  }

  /** The receiver was started anew: what it had of a packet is gone, and it may begin anywhere. */
  restart(): void {
    this.#rest = Buffer.alloc(0);
    this.#last = -1;
  }

  #take(packet: Buffer): void {
    const number = packet.readUInt32BE(4);
    if (!packet.equals(numberedTs(number, 1))) {
      throw new Error(`packet ${this.#count.packets} came out as nobody sent it: ${packet.toString('hex')}`);
    }
    this.#count.packets++;
    if (this.#last >= 0 && number <= this.#last) {
      this.#count.repeated++;
      return;
    }
    if (this.#last >= 0 && number > this.#last + 1) {
      this.#count.gaps++;
      this.#count.missing += number - this.#last - 1;
    }
    this.#last = number;
  }
}
