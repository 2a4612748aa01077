import type { RtpPacket } from './rtp-packet.ts';

/** A missing packet is waited for until so many have overtaken it, or the first of them is so old. */
const mostHeld = 64;
const longestUs = 100_000;
/** A sender that leaps farther has begun anew. */
const leap = 3000;

/** Puts the packets of one RTP stream in order, and counts those that never came. */
export class RtpOrder {
  readonly #held = new Map<number, { readonly packet: RtpPacket; readonly atUs: number }>();
  /** The sequence number that is next; null before the first packet. */
  #next: number | null = null;
  lost = 0;

  /** The packets that are in turn now. */
  push(nowUs: number, packet: RtpPacket): readonly RtpPacket[] {
    const ahead = this.#next === null ? 0 : ((packet.sequence - this.#next) << 16) >> 16;
    if (ahead < 0 && ahead > -leap) return [];
    if (Math.abs(ahead) >= leap) this.#held.clear();
    if (ahead === 0 || Math.abs(ahead) >= leap) {
      this.#next = (packet.sequence + 1) & 0xffff;
      return [packet, ...this.#following()];
    }
    this.#held.set(packet.sequence, { packet, atUs: nowUs });
    const [first] = this.#held.values();
    const isDue = this.#held.size >= mostHeld || (first !== undefined && nowUs - first.atUs >= longestUs);
    return isDue ? this.#skip() : [];
  }

  #skip(): readonly RtpPacket[] {
    const next = this.#next ?? 0;
    const distances = [...this.#held.keys()].map((sequence) => (sequence - next) & 0xffff);
    const gap = Math.min(...distances);
    this.lost += gap;
    this.#next = (next + gap) & 0xffff;
    return this.#following();
  }

  #following(): RtpPacket[] {
    const packets: RtpPacket[] = [];
    for (;;) {
      const next = this.#next ?? 0;
      const held = this.#held.get(next);
      if (held === undefined) return packets;
      this.#held.delete(next);
      this.#next = (next + 1) & 0xffff;
      packets.push(held.packet);
    }
  }
}
