import { TUNNEL_ID_BYTES } from './limits.ts';

declare const tunnelIdBrand: unique symbol;

/**
 * A tunnel's UUID as this program keeps and writes it: lower case, hyphenated. Made only by the parsers of this file.
 */
export type TunnelId = string & { readonly [tunnelIdBrand]: true };

const plainLength = 32;
const hyphenatedForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const plainForm = /^[0-9a-f]{32}$/;

/**
 * Reads a UUID in any case, hyphenated 8-4-4-4-12 or without hyphens (docs/protocol/tunnel.md §2); null for anything
 * else.
 */
export function parseTunnelId(text: string): TunnelId | null {
  // Lower-casing is a copy, so the length of outside input is looked at first.
  if (text.length !== plainLength && text.length !== plainLength + 4) return null;
  const lower = text.toLowerCase();
  if (hyphenatedForm.test(lower)) return lower as TunnelId;
  return plainForm.test(lower) ? hyphenate(lower) : null;
}

/** The 16 bytes that stand before every datagram of the tunnel, in RFC 4122 (network) order; a new array each time. */
export function tunnelIdToBytes(id: TunnelId): Uint8Array {
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

/** Reads the first 16 bytes as a tunnel id in RFC 4122 order; null when there are fewer. */
export function tunnelIdFromBytes(bytes: Uint8Array): TunnelId | null {
  if (bytes.length < TUNNEL_ID_BYTES) return null;
  return hyphenate(Buffer.from(bytes.buffer, bytes.byteOffset, TUNNEL_ID_BYTES).toString('hex'));
}

function hyphenate(hex: string): TunnelId {
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return parts.join('-') as TunnelId;
}
