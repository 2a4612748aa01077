import type { VideoCodec, VideoUnit } from '../codec/media-unit.ts';
import { carried, splitAnnexB, startsDecoding } from '../codec/nal.ts';
import { decodePesHeader } from './pes.ts';
import type { TimeLine } from './time-line.ts';

/** The picture in a PES packet; none where it has no time or no NAL unit. */
export function readVideo(codec: VideoCodec, pes: Buffer, timeLine: TimeLine): readonly VideoUnit[] {
  const header = decodePesHeader(pes);
  if (header === null) return [];
  const { pts: shown, dts: decoded } = header;
  if (shown === null || decoded === null) return [];
  const nals = carried(codec, splitAnnexB(pes.subarray(header.start)));
  if (nals.length === 0) return [];
  const dts = timeLine.place(decoded);
  const pts = Math.max(dts, timeLine.place(shown));
  return [{ codec, pts, dts, isKey: startsDecoding(codec, nals), nals }];
}
