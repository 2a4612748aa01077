import { isIP } from 'node:net';

/** IPv4, or IPv6 without brackets. */
export function isIpLiteral(text: string): boolean {
  return isIP(text) !== 0;
}
