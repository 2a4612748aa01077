import type { PathReport } from '../../admin/path-report.ts';
import { SEAL_OVERHEAD_BYTES, TUNNEL_ID_BYTES } from '../../protocol/tunnel/limits.ts';
import { note, type Finding } from './finding.ts';

/** 1 316 bytes of MPEG-TS and the header of SRT: what SRT programs send by default. */
export const srtDatagramBytes = 1332;
const srtHeaderBytes = 16;
const tsPacketBytes = 188;

/** How much a local program may put into one datagram; edges seal it and put the tunnel's id before it. */
export function largestPayloadWords(path: PathReport | null): string {
  const payload = largestPayload(path);
  if (payload === null) return 'the path carries smaller packets only';
  return `at most ${payload} bytes of payload fit (path MTU ${path?.path_mtu ?? 'unknown'})`;
}

/** What SRT puts into a datagram of this size: whole packets of MPEG-TS after its header. */
export function srtPayload(datagramBytes: number): number {
  return Math.max(1, Math.floor((datagramBytes - srtHeaderBytes) / tsPacketBytes)) * tsPacketBytes;
}

/** A finding if SRT's default does not fit, before anything is sent. A path that still grows is left out. */
export function narrowPathFindings(relay: string, before: PathReport | null, after: PathReport | null): Finding[] {
  const payload = largestPayload(after);
  if (payload === null || payload >= srtDatagramBytes || payload !== largestPayload(before)) return [];
  return [
    note(
      `The path to ${relay} is narrow: ${largestPayloadWords(after)}, and SRT sends ${srtDatagramBytes} by default.`,
      `set pkt_size of the sender (payloadsize in SRT) to ${srtPayload(payload)}`,
    ),
  ];
}

function largestPayload(path: PathReport | null): number | null {
  const largest = path?.max_datagram_size ?? null;
  return largest === null ? null : largest - TUNNEL_ID_BYTES - SEAL_OVERHEAD_BYTES;
}
