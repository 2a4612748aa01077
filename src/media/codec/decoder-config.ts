/** What a decoder of H.264 or H.265 has to know, as FLV and MP4 carry it. */
export interface DecoderConfig {
  readonly parameterSets: readonly Buffer[];
  /** Bytes of the length in front of each NAL unit: 1, 2 or 4. */
  readonly lengthBytes: number;
}

/** An AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1); null for one that is cut short. */
export function parseAvcConfig(bytes: Buffer): DecoderConfig | null {
  if (bytes.length < 7 || bytes[0] !== 1) return null;
  const lengthBytes = ((bytes[4] ?? 0) & 3) + 1;
  const sps = sizedUnits(bytes, 6, (bytes[5] ?? 0) & 0x1f);
  if (sps === null || sps.end >= bytes.length) return null;
  const pps = sizedUnits(bytes, sps.end + 1, bytes[sps.end] ?? 0);
  return pps === null ? null : { parameterSets: [...sps.units, ...pps.units], lengthBytes };
}

/** An HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1); null for one that is cut short. */
export function parseHevcConfig(bytes: Buffer): DecoderConfig | null {
  if (bytes.length < 23 || bytes[0] !== 1) return null;
  const lengthBytes = ((bytes[21] ?? 0) & 3) + 1;
  const parameterSets: Buffer[] = [];
  let at = 23;
  for (let array = bytes[22] ?? 0; array > 0; array--) {
    if (at + 3 > bytes.length) return null;
    const units = sizedUnits(bytes, at + 3, bytes.readUInt16BE(at + 1));
    if (units === null) return null;
    parameterSets.push(...units.units);
    at = units.end;
  }
  return { parameterSets, lengthBytes };
}

function sizedUnits(bytes: Buffer, from: number, count: number): { units: Buffer[]; end: number } | null {
  const units: Buffer[] = [];
  let at = from;
  for (let unit = 0; unit < count; unit++) {
    if (at + 2 > bytes.length) return null;
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) return null;
    units.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return { units, end: at };
}

/** NAL units with their lengths in front; those up to the first one that is cut short. */
export function splitSized(bytes: Buffer, lengthBytes: number): Buffer[] {
  const nals: Buffer[] = [];
  for (let at = 0; at + lengthBytes <= bytes.length;) {
    const end = at + lengthBytes + bytes.readUIntBE(at, lengthBytes);
    if (end > bytes.length) break;
    nals.push(bytes.subarray(at + lengthBytes, end));
    at = end;
  }
  return nals;
}
