/** Stream ids (ISO/IEC 13818-1 table 2-22); Opus is private data. */
export const pesStreamIds = { video: 0xe0, audio: 0xc0, private: 0xbd } as const;

const wrap = 2 ** 33;

/** A PES packet with its times, 90 kHz (§2.4.3.6). Its length is 0, for "not said", where 16 bits do not hold it. */
export function encodePes(streamId: number, pts: number, dts: number, parts: readonly Buffer[]): Buffer {
  const hasDts = dts !== pts;
  const times = hasDts ? 10 : 5;
  const header = Buffer.alloc(9 + times);
  const length = 3 + times + parts.reduce((sum, part) => sum + part.length, 0);
  header.writeUInt32BE(0x100 | streamId, 0);
  header.writeUInt16BE(length > 0xffff ? 0 : length, 4);
  header[6] = 0x84;
  header[7] = hasDts ? 0xc0 : 0x80;
  header[8] = times;
  writeTime(header, 9, hasDts ? 3 : 2, pts);
  if (hasDts) writeTime(header, 14, 1, dts);
  return Buffer.concat([header, ...parts]);
}

export interface PesHeader {
  /** Null where the packet has no time. 33 bits. */
  readonly pts: number | null;
  readonly dts: number | null;
  /** Bytes of the whole packet; null for "not said". */
  readonly bytes: number | null;
  /** Where its content starts. */
  readonly start: number;
}

/** Null for what is no PES packet with a header like this, or is cut short. */
export function decodePesHeader(bytes: Buffer): PesHeader | null {
  if (bytes.length < 9 || bytes.readUIntBE(0, 3) !== 1 || bytes.readUInt8(6) >> 6 !== 2) return null;
  const headerBytes = bytes.readUInt8(8);
  const length = bytes.readUInt16BE(4);
  const need = [0, 0, 5, 10][bytes.readUInt8(7) >> 6] ?? 0;
  if (headerBytes < need || bytes.length < 9 + need) return null;
  const pts = need > 0 ? readTime(bytes, 9) : null;
  const dts = need === 10 ? readTime(bytes, 14) : pts;
  return { pts, dts, bytes: length === 0 ? null : 6 + length, start: 9 + headerBytes };
}

function writeTime(bytes: Buffer, at: number, prefix: number, time: number): void {
  const ticks = ((Math.round(time) % wrap) + wrap) % wrap;
  const high = Math.floor(ticks / 2 ** 30);
  bytes[at] = (prefix << 4) | (high << 1) | 1;
  bytes.writeUInt16BE((Math.floor(ticks / 2 ** 14) & 0xfffe) | 1, at + 1);
  bytes.writeUInt16BE(((ticks % 2 ** 15) << 1) | 1, at + 3);
}

function readTime(bytes: Buffer, at: number): number {
  const high = ((bytes[at] ?? 0) >> 1) & 7;
  return high * 2 ** 30 + (bytes.readUInt16BE(at + 1) >> 1) * 2 ** 15 + (bytes.readUInt16BE(at + 3) >> 1);
}
