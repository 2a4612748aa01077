import { randomInt } from 'node:crypto';
import process from 'node:process';

/**
 * An address for what is drawn for one run alone. On an address that others use, a port may be taken while its owner is away for a moment,
 * or be one that QUIC packets still come to, of an edge that died: a tunnel would carry them as it must, and they would look damaged.
 * Linux alone has all of 127.0.0.0/8.
 */
export function ownLoopback(): string {
  if (process.platform !== 'linux') return '127.0.0.1';
  return `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
}
