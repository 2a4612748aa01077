import { parseTunnelId, type TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';

/** A tunnel id that the test wrote down itself. */
export function knownTunnelId(text: string): TunnelId {
  const id = parseTunnelId(text);
  if (id === null) throw new Error(`not a UUID: ${text}`);
  return id;
}
