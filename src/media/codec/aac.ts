/** What a decoder of AAC has to know (ISO/IEC 14496-3 §1.6.2.1). */
export interface AacConfig {
  /** Audio object type, 1 to 4 in ADTS: AAC-LC is 2. */
  readonly objectType: number;
  readonly sampleRate: number;
  /** Channel configuration, 0 to 7; 0 leaves it to the frame. */
  readonly channels: number;
}

const sampleRates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350,
];
export const aacFrameSamples = 1024;
const adtsHeaderBytes = 7;
/** A longer frame has no ADTS header: its length field has 13 bits. */
export const maxAacFrameBytes = 0x1fff - adtsHeaderBytes;

/** An AudioSpecificConfig; null for one that ADTS cannot carry. SBR and PS are left to be found in the frames. */
export function parseAudioSpecificConfig(bytes: Buffer): AacConfig | null {
  if (bytes.length < 2) return null;
  const bits = bytes.readUInt16BE(0);
  const explicit = objectTypeOf(bits >> 11);
  const rateIndex = (bits >> 7) & 0x0f;
  const sampleRate = sampleRates[rateIndex];
  if (explicit === null || sampleRate === undefined) return null;
  return { objectType: explicit, sampleRate, channels: (bits >> 3) & 0x0f };
}

/** HE-AAC (5, 29) is signalled as its AAC-LC core: its sampling rate comes first. */
function objectTypeOf(type: number): number | null {
  if (type === 5 || type === 29) return 2;
  return type >= 1 && type <= 4 ? type : null;
}

/** The header in front of a frame of `frameBytes` (ISO/IEC 13818-7 §6.2). */
export function adtsHeader({ objectType, sampleRate, channels }: AacConfig, frameBytes: number): Buffer {
  const length = frameBytes + adtsHeaderBytes;
  const rateIndex = Math.max(0, sampleRates.indexOf(sampleRate));
  return Buffer.from([
    0xff,
    0xf1,
    ((objectType - 1) << 6) | (rateIndex << 2) | (channels >> 2),
    ((channels & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  ]);
}

export interface AdtsFrame {
  readonly config: AacConfig;
  readonly headerBytes: number;
  /** With its header. */
  readonly bytes: number;
}

/** The header at `at`; null where there is none, or not enough of it. */
export function parseAdtsHeader(bytes: Buffer, at: number): AdtsFrame | null {
  if (at + adtsHeaderBytes > bytes.length || (bytes.readUInt16BE(at) & 0xfff6) !== 0xfff0) return null;
  const third = bytes[at + 2] ?? 0;
  const fourth = bytes[at + 3] ?? 0;
  const sampleRate = sampleRates[(third >> 2) & 0x0f];
  const length = ((fourth & 3) << 11) | ((bytes[at + 4] ?? 0) << 3) | ((bytes[at + 5] ?? 0) >> 5);
  const headerBytes = ((bytes[at + 1] ?? 0) & 1) === 0 ? adtsHeaderBytes + 2 : adtsHeaderBytes;
  if (sampleRate === undefined || length <= headerBytes) return null;
  const config = { objectType: (third >> 6) + 1, sampleRate, channels: ((third & 1) << 2) | (fourth >> 6) };
  return { config, headerBytes, bytes: length };
}
