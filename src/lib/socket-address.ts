import { isIPv4, isIPv6 } from 'node:net';

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
  if (v6 !== undefined) return isIPv6(v6) && !v6.includes('%') ? { ip: v6, port } : null;
  return v4 !== undefined && isIPv4(v4) ? { ip: v4, port } : null;
}

/** Whether this is the address that stands for every address of the host. */
export function isUnspecified(ip: string): boolean {
  return isIPv6(ip) ? /^[0:]+$/.test(ip) : ip === '0.0.0.0';
}

/**
 * What counts as one source: an IPv4 address, or an IPv6 /64, since that is what one customer gets and can move
 * within at will. An IPv4-mapped IPv6 address counts as the IPv4 address.
 */
export function addressBlock(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(ip)) return ip;
  const [head = '', tail] = ip.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    // An address may end in dotted IPv4, which stands for two groups.
    const width = after.length + (after.at(-1)?.includes('.') === true ? 1 : 0);
    while (groups.length + width < 8) groups.push('0');
    groups.push(...after);
  }
  const block = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${block.join(':')}::/64`;
}
