import { isIP, isIPv6 } from 'node:net';

/** A host (name, IPv4 or IPv6 literal without brackets) and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const hostPort = /^(?:\[(?<bracketed>[^\]]+)\]|(?<plain>[^:[\]\s/]+)):(?<port>\d{1,5})$/;
const hostName = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*\.?$/i;

/** Reads `host:port` or `[ipv6]:port`, port 0 to 65535; null for anything else, IPv6 without brackets included. */
export function parseHostPort(text: string): HostPort | null {
  const groups = hostPort.exec(text)?.groups;
  const port = Number(groups?.['port']);
  if (groups === undefined || port > 65_535) return null;
  const bracketed = groups['bracketed'];
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : null;
  const host = groups['plain'] ?? '';
  return isIP(host) !== 0 || isHostName(host) ? { host, port } : null;
}

/** The text that `parseHostPort` reads, with brackets around an IPv6 literal. */
export function formatHostPort({ host, port }: HostPort): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** Digits and dots alone are a mistyped address, which a resolver would read in surprising ways. */
function isHostName(host: string): boolean {
  return hostName.test(host) && !/^[\d.]+$/.test(host);
}
