import { ContinuityWatch } from '../../src/media/mpegts/continuity-watch.ts';

const packetBytes = 188;
const syncByte = 0x47;
const nullPid = 0x1fff;

/** What came out of a transport stream. */
export interface TsCount {
  /** TS packets, without those that only fill. */
  readonly packets: number;
  /** Places where a continuity counter does not run on. */
  readonly errors: number;
}

/** Counts the packets of a transport stream and its continuity errors, as it comes. */
export class TsTally {
  readonly #continuity = new ContinuityWatch();
  readonly #count = { packets: 0, errors: 0 };
  #rest: Buffer = Buffer.alloc(0);

  get count(): TsCount {
    return { ...this.#count };
  }

  /** Bytes of the stream, in parts of any size. Throws where no packet begins: a receiver writes whole packets. */
  push(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const whole = all.length - (all.length % packetBytes);
    for (let at = 0; at < whole; at += packetBytes) this.#take(all, at);
    this.#rest = all.subarray(whole);
  }

  #take(bytes: Buffer, at: number): void {
    if (bytes[at] !== syncByte) throw new Error(`no TS packet after ${this.#count.packets} of them`);
    const pid = bytes.readUInt16BE(at + 1) & 0x1fff;
    if (pid === nullPid) return;
    const flags = bytes[at + 3] ?? 0;
    const hasMarks = (flags & 0x20) !== 0 && (bytes[at + 4] ?? 0) > 0;
    const isMeant = hasMarks && ((bytes[at + 5] ?? 0) & 0x80) !== 0;
    this.#count.packets++;
    if (!this.#continuity.check(pid, flags, isMeant)) this.#count.errors++;
  }
}
