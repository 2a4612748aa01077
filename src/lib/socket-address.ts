import { z } from 'zod';

// Not node:net: what only decides must reach no I/O module, and needs addresses too.
const { ipv4, ipv6 } = z.regexes;

/** An IP literal (no brackets, no zone) and a port, 0..65535. */
interface IpAndPort {
  readonly ip: string;
  readonly port: number;
}

/** `198.51.100.4:40000` or `[2001:db8::1]:40000`. */
export function formatSocketAddress({ ip, port }: IpAndPort): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** Reads what `formatSocketAddress` writes; null for anything else, host names included. */
export function parseSocketAddress(text: string): IpAndPort | null {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const [, v6, v4, digits] = match;
  const port = Number(digits);
  if (port > 65_535) return null;
  if (v6 !== undefined) return ipv6.test(inHexGroups(v6)) ? { ip: v6, port } : null;
  return v4 !== undefined && ipv4.test(v4) ? { ip: v4, port } : null;
}

/** Whether this is the address that stands for every address of the host. */
export function isUnspecified(ip: string): boolean {
  return ip.includes(':') ? /^[0:]+$/.test(ip) : ip === '0.0.0.0';
}

/** Whether only this host itself can reach the address. */
export function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || (ip.includes(':') && !isUnspecified(ip) && /^[0:]*:0*1$/.test(ip));
}

/**
 * What counts as one source: an IPv4 address, or an IPv6 /64, since that is what one customer gets and can move
 * within at will. An IPv4-mapped IPv6 address counts as the IPv4 address.
 */
export function addressBlock(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = inHexGroups(ip).split('::');
  if (!ip.includes(':')) return ip;
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  const block = [...before, ...zeros, ...after].slice(0, 4);
  return `${block.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** An IPv6 address may end in dotted IPv4, which stands for its last two groups. */
function inHexGroups(ip: string): string {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(ip);
  if (dotted === null) return ip;
  const [, head = '', ...octets] = dotted;
  const [a = 0, b = 0, c = 0, d = 0] = octets.map(Number);
  if (Math.max(a, b, c, d) > 255) return ip;
  return `${head}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
