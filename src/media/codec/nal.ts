import type { VideoCodec } from './media-unit.ts';

/** What a NAL unit is for, as far as carrying it goes (ITU-T H.264 table 7-1, H.265 table 7-1). */
export type NalRole = 'key' | 'picture' | 'parameters' | 'delimiter' | 'filler' | 'other';

const roles: Readonly<Record<VideoCodec, (type: number) => NalRole>> = {
  h264: (type) => {
    if (type === 5) return 'key';
    if (type >= 1 && type <= 4) return 'picture';
    if (type === 7 || type === 8) return 'parameters';
    return type === 9 ? 'delimiter' : type === 12 ? 'filler' : 'other';
  },
  h265: (type) => {
    // 16 to 21 are the pictures that a decoder can start at: BLA, IDR and CRA.
    if (type >= 16 && type <= 21) return 'key';
    if (type < 16) return 'picture';
    if (type >= 32 && type <= 34) return 'parameters';
    return type === 35 ? 'delimiter' : type === 38 ? 'filler' : 'other';
  },
};

export function nalType(codec: VideoCodec, nal: Buffer): number {
  const first = nal[0] ?? 0;
  return codec === 'h264' ? first & 0x1f : (first >> 1) & 0x3f;
}

export function nalRole(codec: VideoCodec, nal: Buffer): NalRole {
  return roles[codec](nalType(codec, nal));
}

/** Whether a decoder can start at these NAL units: an IDR, or an H.264 picture behind a recovery point and its SPS. */
export function startsDecoding(codec: VideoCodec, nals: readonly Buffer[]): boolean {
  if (nals.some((nal) => nalRole(codec, nal) === 'key')) return true;
  const has = (found: (nal: Buffer) => boolean): boolean => nals.some(found);
  return codec === 'h264' && has((nal) => nalType(codec, nal) === 7) && has(isRecoveryPoint);
}

/** A SEI of H.264 that begins with a recovery point message. */
function isRecoveryPoint(nal: Buffer): boolean {
  return nalType('h264', nal) === 6 && nal[1] === 6;
}

/** The NAL units that are to be carried: neither empty, nor delimiters, nor filler. */
export function carried(codec: VideoCodec, nals: readonly Buffer[]): Buffer[] {
  return nals.filter((nal) => {
    const role = nalRole(codec, nal);
    return nal.length > (codec === 'h264' ? 1 : 2) && role !== 'delimiter' && role !== 'filler';
  });
}

const startCode = Buffer.from([0, 0, 1]);

/** The NAL units between start codes (ITU-T H.264 annex B), as parts of `bytes`. */
export function splitAnnexB(bytes: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  let start = bytes.indexOf(startCode);
  while (start !== -1) {
    const next = bytes.indexOf(startCode, start + 3);
    let end = next === -1 ? bytes.length : next;
    while (end > start + 3 && bytes[end - 1] === 0) end--;
    if (end > start + 3) nals.push(bytes.subarray(start + 3, end));
    start = next;
  }
  return nals;
}
