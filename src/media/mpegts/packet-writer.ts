/** Packets in one chunk: what fits a datagram. */
const chunkPackets = 7;
const packetBytes = 188;
const headerBytes = 4;

export interface PacketMarks {
  /** The clock to put into the first packet, in 27 MHz ticks. */
  readonly pcr?: number | undefined;
  readonly discontinuity?: boolean;
  /** A decoder can start here. */
  readonly randomAccess?: boolean;
}

/** Cuts payloads into TS packets (ISO/IEC 13818-1 §2.4.3), and packets into chunks. */
export class PacketWriter {
  readonly #counters = new Map<number, number>();
  #chunks: Buffer[] = [];
  #chunk: Buffer = Buffer.alloc(0);

  /** All packets since the last call, in chunks of at most seven. */
  take(): readonly Buffer[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#chunk = Buffer.alloc(0);
    return chunks;
  }

  /** A PSI section of at most 183 bytes. */
  section(pid: number, bytes: Buffer): void {
    const packet = this.#next(pid, true, true);
    packet.fill(0xff, headerBytes);
    packet[headerBytes] = 0;
    packet.set(bytes, headerBytes + 1);
  }

  /** A packet that carries nothing but the clock. */
  clock(pid: number, marks: PacketMarks): void {
    const packet = this.#next(pid, false, false);
    writeAdaptation(packet, packetBytes - headerBytes, marks);
  }

  /** A PES packet, over as many packets as it needs. */
  pes(pid: number, bytes: Buffer, marks: PacketMarks): void {
    const marked = marks.pcr !== undefined || marks.randomAccess === true;
    for (let at = 0; at < bytes.length;) {
      const isFirst = at === 0;
      const least = isFirst && marked ? (marks.pcr === undefined ? 2 : 8) : 0;
      const room = packetBytes - headerBytes - least;
      const part = Math.min(room, bytes.length - at);
      const adaptation = packetBytes - headerBytes - part;
      const packet = this.#next(pid, isFirst, true);
      if (adaptation > 0) {
        packet[3] = (packet[3] ?? 0) | 0x20;
        writeAdaptation(packet, adaptation, isFirst ? marks : {});
      }
      bytes.copy(packet, packetBytes - part, at, at + part);
      at += part;
    }
  }

  /** A packet with its header; the rest is to be filled. A packet without payload does not count (§2.4.3.3). */
  #next(pid: number, start: boolean, hasPayload: boolean): Buffer {
    const last = this.#counters.get(pid) ?? 15;
    const counter = hasPayload ? (last + 1) & 15 : last;
    this.#counters.set(pid, counter);
    const packet = this.#space();
    packet[0] = 0x47;
    packet.writeUInt16BE((start ? 0x4000 : 0) | pid, 1);
    packet[3] = (hasPayload ? 0x10 : 0x20) | counter;
    return packet;
  }

  #space(): Buffer {
    const used = this.#chunk.length;
    if (used === 0 || used === chunkPackets * packetBytes) {
      // Room for a whole chunk; what is not used is not sent.
      this.#chunk = Buffer.allocUnsafeSlow(chunkPackets * packetBytes).subarray(0, 0);
      this.#chunks.push(this.#chunk);
    }
    const { buffer, byteOffset, length } = this.#chunk;
    this.#chunk = Buffer.from(buffer, byteOffset, length + packetBytes);
    this.#chunks[this.#chunks.length - 1] = this.#chunk;
    return this.#chunk.subarray(length);
  }
}

/** An adaptation field of exactly `bytes`, its length byte included. */
function writeAdaptation(packet: Buffer, bytes: number, { pcr, discontinuity, randomAccess }: PacketMarks): void {
  packet[headerBytes] = bytes - 1;
  if (bytes === 1) return;
  const flags =
    (discontinuity === true ? 0x80 : 0) | (randomAccess === true ? 0x40 : 0) | (pcr === undefined ? 0 : 0x10);
  packet[headerBytes + 1] = flags;
  const from = headerBytes + (pcr === undefined ? 2 : 8);
  if (pcr !== undefined) writePcr(packet, headerBytes + 2, pcr);
  packet.fill(0xff, from, headerBytes + bytes);
}

const pcrWrap = 2 ** 33 * 300;

/** 33 bits at 90 kHz, 6 reserved, 9 at 27 MHz. */
function writePcr(packet: Buffer, at: number, pcr: number): void {
  const ticks = ((pcr % pcrWrap) + pcrWrap) % pcrWrap;
  const base = Math.floor(ticks / 300);
  packet.writeUInt32BE(Math.floor(base / 2), at);
  packet.writeUInt16BE(((base & 1) << 15) | 0x7e00 | (ticks % 300), at + 4);
}
