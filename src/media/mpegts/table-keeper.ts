import { SectionReader } from './section-reader.ts';

/** Keeps the packets of the latest whole section of one PID, and the section. */
export class TableKeeper {
  readonly #reader = new SectionReader();
  #collecting: Buffer[] = [];
  #packets: readonly Buffer[] = [];

  /** Null before the first section. */
  get packets(): readonly Buffer[] | null {
    return this.#packets.length === 0 ? null : this.#packets;
  }

  /** Returns the section that is complete now; null while none is. */
  push(packet: Buffer, payload: Buffer, start: boolean): Buffer | null {
    if (start) this.#collecting = [];
    this.#collecting.push(Buffer.from(packet));
    const outcome = this.#reader.push(payload, start);
    if (outcome?.kind !== 'section') {
      // A section has at most 1,027 bytes.
      if (this.#collecting.length > 6) this.#collecting = [];
      return null;
    }
    this.#packets = this.#collecting;
    this.#collecting = [];
    return outcome.section;
  }
}
