import { controlPacket, controlType, headerBytes, type SequenceRange } from './packet.ts';
import { sequenceDistance } from './sequence.ts';

/** So many words fit into a NAK of one datagram; the rest goes out with the next report. */
const maxWords = 360;

/** A NAK that lists `ranges`, or as many of them as fit (draft-sharabayko-srt-01 appendix A). */
export function encodeNak(ranges: readonly SequenceRange[]): Buffer {
  const words: number[] = [];
  for (const { first, last } of ranges) {
    if (words.length + 2 > maxWords) break;
    if (first === last) words.push(first);
    else words.push((first | 0x8000_0000) >>> 0, last);
  }
  const packet = controlPacket(controlType.nak, 0, 0, words.length * 4);
  words.forEach((word, index) => packet.writeUInt32BE(word, headerBytes + index * 4));
  return packet;
}

/** The ranges of a NAK; what does not parse, or runs backwards, ends the list. */
export function decodeNak(packet: Buffer): SequenceRange[] {
  const ranges: SequenceRange[] = [];
  for (let at = headerBytes; at + 4 <= packet.length; at += 4) {
    const word = packet.readUInt32BE(at);
    if (word <= 0x7fff_ffff) {
      ranges.push({ first: word, last: word });
      continue;
    }
    at += 4;
    if (at + 4 > packet.length) break;
    const range = { first: word & 0x7fff_ffff, last: packet.readUInt32BE(at) };
    if (range.last > 0x7fff_ffff || sequenceDistance(range.last, range.first) < 0) break;
    ranges.push(range);
  }
  return ranges;
}
