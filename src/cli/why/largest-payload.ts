import type { PathReport } from '../../admin/path-report.ts';
import { SEAL_OVERHEAD_BYTES, TUNNEL_ID_BYTES } from '../../protocol/tunnel/limits.ts';

/** How much a local program may put into one datagram; edges seal it and put the tunnel's id before it. */
export function largestPayloadWords(path: PathReport | null): string {
  const largest = path?.max_datagram_size ?? null;
  if (largest === null) return 'the path carries smaller packets only';
  const payload = largest - TUNNEL_ID_BYTES - SEAL_OVERHEAD_BYTES;
  return `at most ${payload} bytes of payload fit (path MTU ${path?.path_mtu ?? 'unknown'})`;
}
