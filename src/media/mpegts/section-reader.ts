import { mpegCrc32 } from './crc32.ts';

/** Longest section of PAT and PMT, with its three bytes of header (ISO/IEC 13818-1 §2.4.4). */
const maxSection = 1024 + 3;

export type SectionOutcome = { readonly kind: 'section'; readonly section: Buffer } | { readonly kind: 'bad-crc' };

/**
 * Puts the PSI sections of one PID together. Sections of a next start in the same packet are left for its next turn.
 */
export class SectionReader {
  #parts: Buffer = Buffer.alloc(0);
  #length = 0;

  /** `payload` of one packet; `start` is its payload_unit_start_indicator. Null while a section is not complete. */
  push(payload: Buffer, start: boolean): SectionOutcome | null {
    if (start) {
      const pointer = payload[0] ?? 0;
      const begin = payload.subarray(1 + pointer);
      if (begin.length < 3) return null;
      this.#length = 3 + (begin.readUInt16BE(1) & 0x0fff);
      this.#parts = begin;
    } else {
      if (this.#length === 0) return null;
      this.#parts = Buffer.concat([this.#parts, payload]);
    }
    if (this.#length > maxSection || this.#length < 12) {
      this.#length = 0;
      return { kind: 'bad-crc' };
    }
    if (this.#parts.length < this.#length) return null;
    const section = Buffer.from(this.#parts.subarray(0, this.#length));
    this.#length = 0;
    return mpegCrc32(section) === 0 ? { kind: 'section', section } : { kind: 'bad-crc' };
  }
}
