import { decodePesHeader } from './pes.ts';

/** A picture of 200 Mbit/s at 25 a second has 1 MB; what is larger than this is noise. */
const maxPesBytes = 8 * 1_048_576;

/** Puts the PES packets of one PID together; one with a gap is dropped. */
export class PesReader {
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Bytes that the packet has in all; Infinity until its length or its end is known. */
  #expected = Number.POSITIVE_INFINITY;
  #counter = -1;
  dropped = 0;

  /** The payload of a TS packet with its continuity counter. Returns the packets that are complete now. */
  push(payload: Buffer, start: boolean, counter: number): readonly Buffer[] {
    const isNext = this.#counter === -1 || counter === ((this.#counter + 1) & 15);
    // Sent twice.
    if (!isNext && counter === this.#counter) return [];
    this.#counter = counter;
    const ended = start ? this.#begin(payload, isNext) : [];
    if (!start && this.#parts.length > 0) {
      if (isNext && this.#bytes + payload.length <= maxPesBytes) this.#add(payload);
      else this.#drop();
    }
    return this.#parts.length > 0 && this.#bytes >= this.#expected ? [...ended, this.#take()] : ended;
  }

  /** Returns the packet before, which has ended where it had no length. */
  #begin(payload: Buffer, isNext: boolean): readonly Buffer[] {
    const ended = this.#parts.length > 0 && isNext && this.#expected === Number.POSITIVE_INFINITY ? [this.#take()] : [];
    if (this.#parts.length > 0) this.#drop();
    this.#expected = decodePesHeader(payload)?.bytes ?? Number.POSITIVE_INFINITY;
    this.#add(payload);
    return ended;
  }

  #add(payload: Buffer): void {
    this.#parts.push(payload);
    this.#bytes += payload.length;
  }

  #take(): Buffer {
    const whole = Buffer.concat(this.#parts, Math.min(this.#bytes, this.#expected));
    this.#clear();
    return whole;
  }

  #drop(): void {
    this.dropped++;
    this.#clear();
  }

  #clear(): void {
    this.#parts = [];
    this.#bytes = 0;
    this.#expected = Number.POSITIVE_INFINITY;
  }
}
