import { addressBlock } from '../../lib/socket-address.ts';

/**
 * What counts as one peer: the IPv4 address or the IPv6 /64 of `192.0.2.1:443`, `[2001:db8::1]:443`, or of a bare
 * address as proxies write it.
 */
export function remoteBlock(remoteAddr: string): string {
  return addressBlock(remoteAddr.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1'));
}
