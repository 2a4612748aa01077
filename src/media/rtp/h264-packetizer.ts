/** What one RTP packet carries of a picture. */
export interface PicturePart {
  readonly payload: Buffer;
  /** The last packet of the picture. */
  readonly marker: boolean;
}

const fuA = 28;
const fuHeaderBytes = 2;

/**
 * The NAL units of a picture as RTP payloads of at most `most` bytes (RFC 6184): one unit in a packet where it fits,
 * else in fragments (FU-A).
 */
export function packetizeH264(nals: readonly Buffer[], most: number): PicturePart[] {
  const payloads = nals.flatMap((nal) => (nal.length <= most ? [nal] : fragments(nal, most)));
  return payloads.map((payload, index) => ({ payload, marker: index === payloads.length - 1 }));
}

function fragments(nal: Buffer, most: number): Buffer[] {
  const header = nal[0] ?? 0;
  const indicator = (header & 0xe0) | fuA;
  const room = most - fuHeaderBytes;
  const parts: Buffer[] = [];
  for (let at = 1; at < nal.length; at += room) {
    const end = Math.min(nal.length, at + room);
    const marks = (at === 1 ? 0x80 : 0) | (end === nal.length ? 0x40 : 0);
    parts.push(Buffer.concat([Buffer.from([indicator, marks | (header & 0x1f)]), nal.subarray(at, end)]));
  }
  return parts;
}
