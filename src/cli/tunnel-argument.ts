import { InvalidArgumentError } from 'commander';
import { parseTunnelId, type TunnelId } from '../protocol/tunnel/tunnel-id.ts';

/** Reads the tunnel id on a command line. Throws InvalidArgumentError, which commander shows to the user. */
export function toTunnelId(text: string): TunnelId {
  const id = parseTunnelId(text);
  if (id === null) throw new InvalidArgumentError('It must be a UUID.');
  return id;
}
