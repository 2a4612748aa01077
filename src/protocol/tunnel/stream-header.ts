import { z } from 'zod';
import { encodeFrame } from './frame.ts';
import { parseJson } from '../../lib/json.ts';
import { parseTunnelId, type TunnelId } from './tunnel-id.ts';

/** The first frame of a data stream, read. Every malformed one has the same answer: reset with `badStreamHeader`. */
export type ParsedStreamHeader =
  { readonly kind: 'header'; readonly tunnelId: TunnelId } | { readonly kind: 'malformed'; readonly reason: string };

const headerSchema = z.object({ tunnel_id: z.string(), stream_type: z.string() });

/**
 * The header with its length prefix, as the opener of a data stream sends it before any data (docs/protocol/tunnel.md
 * §3).
 */
export function encodeStreamHeader(tunnelId: TunnelId): Buffer {
  return encodeFrame({ tunnel_id: tunnelId, stream_type: 'tcp' });
}

/** Reads a header's payload (prefix already taken off by a `FrameReader` of 1024 bytes). Never throws. */
export function parseStreamHeader(payload: Uint8Array): ParsedStreamHeader {
  const header = headerSchema.safeParse(parseJson(payload));
  if (!header.success) return { kind: 'malformed', reason: 'not a stream header' };
  if (header.data.stream_type !== 'tcp') return { kind: 'malformed', reason: 'unknown stream_type' };
  const tunnelId = parseTunnelId(header.data.tunnel_id);
  return tunnelId === null ? { kind: 'malformed', reason: 'tunnel_id is not a UUID' } : { kind: 'header', tunnelId };
}
