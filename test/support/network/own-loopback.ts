import { randomInt } from 'node:crypto';
import process from 'node:process';

/**
 * An address for what is drawn for one run alone. On a shared address another program may take a port while its owner
 * is away for a moment. Or QUIC packets of an edge that died still come to it: a tunnel would carry them, and they
 * would look damaged. Linux alone has all of 127.0.0.0/8.
 */
export function ownLoopback(): string {
  if (process.platform !== 'linux') return '127.0.0.1';
  return `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
}
