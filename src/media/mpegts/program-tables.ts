/** Sections have a right CRC and at least 12 bytes. */

/** PMT PIDs by programme number (ISO/IEC 13818-1 §2.4.4.3); the network PID is left out. Null for another table. */
export function parsePat(section: Buffer): ReadonlyMap<number, number> | null {
  if (section[0] !== 0x00) return null;
  const programmes = new Map<number, number>();
  for (let at = 8; at + 4 <= section.length - 4; at += 4) {
    const number = section.readUInt16BE(at);
    if (number !== 0) programmes.set(number, section.readUInt16BE(at + 2) & 0x1fff);
  }
  return programmes;
}

export interface ElementaryStream {
  readonly pid: number;
  readonly streamType: number;
  /** `H.264`, `AAC`, …; `type 0x..` for one that is not known. */
  readonly codec: string;
  readonly kind: 'video' | 'audio' | 'data';
}

export interface ProgrammeMap {
  readonly programme: number;
  readonly pcrPid: number;
  readonly streams: readonly ElementaryStream[];
}

/** A PMT (ISO/IEC 13818-1 §2.4.4.8); null for another table or one that runs past its end. */
export function parsePmt(section: Buffer): ProgrammeMap | null {
  if (section[0] !== 0x02 || section.length < 16) return null;
  const end = section.length - 4;
  const streams: ElementaryStream[] = [];
  let at = 12 + (section.readUInt16BE(10) & 0x0fff);
  while (at + 5 <= end) {
    const streamType = section[at] ?? 0;
    const length = section.readUInt16BE(at + 3) & 0x0fff;
    if (at + 5 + length > end) return null;
    const descriptors = section.subarray(at + 5, at + 5 + length);
    streams.push({ pid: section.readUInt16BE(at + 1) & 0x1fff, streamType, ...codecOf(streamType, descriptors) });
    at += 5 + length;
  }
  return { programme: section.readUInt16BE(3), pcrPid: section.readUInt16BE(8) & 0x1fff, streams };
}

type Codec = Pick<ElementaryStream, 'codec' | 'kind'>;

/** Stream types (ISO/IEC 13818-1 table 2-34, ATSC A/53). */
const codecs: ReadonlyMap<number, Codec> = new Map<number, Codec>([
  [0x01, { codec: 'MPEG-1 video', kind: 'video' }],
  [0x02, { codec: 'MPEG-2 video', kind: 'video' }],
  [0x03, { codec: 'MPEG audio', kind: 'audio' }],
  [0x04, { codec: 'MPEG audio', kind: 'audio' }],
  [0x0f, { codec: 'AAC', kind: 'audio' }],
  [0x10, { codec: 'MPEG-4 video', kind: 'video' }],
  [0x11, { codec: 'AAC-LATM', kind: 'audio' }],
  [0x1b, { codec: 'H.264', kind: 'video' }],
  [0x24, { codec: 'H.265', kind: 'video' }],
  [0x33, { codec: 'H.266', kind: 'video' }],
  [0x81, { codec: 'AC-3', kind: 'audio' }],
  [0x86, { codec: 'SCTE-35', kind: 'data' }],
  [0x87, { codec: 'E-AC-3', kind: 'audio' }],
]);

/** Private data says what it is in its descriptors (ETSI EN 300 468 §6). */
const privateCodecs: ReadonlyMap<number, Codec> = new Map<number, Codec>([
  [0x56, { codec: 'teletext', kind: 'data' }],
  [0x59, { codec: 'DVB subtitles', kind: 'data' }],
  [0x6a, { codec: 'AC-3', kind: 'audio' }],
  [0x7a, { codec: 'E-AC-3', kind: 'audio' }],
]);

function codecOf(streamType: number, descriptors: Buffer): Codec {
  const known = codecs.get(streamType);
  if (known !== undefined) return known;
  for (let at = 0; at + 2 <= descriptors.length; at += 2 + (descriptors[at + 1] ?? 0)) {
    const tag = descriptors[at] ?? 0;
    const found = privateCodecs.get(tag);
    if (found !== undefined) return found;
    if (tag === 0x05 && descriptors.toString('latin1', at + 2, at + 6) === 'Opus')
      return { codec: 'Opus', kind: 'audio' };
  }
  return { codec: `type 0x${streamType.toString(16).padStart(2, '0')}`, kind: 'data' };
}
