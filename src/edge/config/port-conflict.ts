import { isIPv6 } from 'node:net';
import { formatHostPort } from '../../lib/host-port.ts';
import type { TunnelSettings } from './tunnel-config.ts';

/**
 * Why `tunnel` cannot listen beside `others`, or null. Only enabled egress tunnels listen; TCP and UDP ports are apart.
 * Tunnels with the id of `tunnel` are passed over: it would replace them.
 */
export function findPortConflict(tunnel: TunnelSettings, others: Iterable<TunnelSettings>): string | null {
  if (!listens(tunnel)) return null;
  for (const other of others) {
    if (other.id !== tunnel.id && listens(other) && overlap(tunnel, other)) {
      return `${tunnel.protocol} ${formatHostPort(tunnel.localAddr)} is taken by tunnel '${other.name}'`;
    }
  }
  return null;
}

function listens(tunnel: TunnelSettings): boolean {
  return tunnel.enabled && tunnel.direction === 'egress' && tunnel.localAddr.port !== 0;
}

function overlap(a: TunnelSettings, b: TunnelSettings): boolean {
  if (a.protocol !== b.protocol || a.localAddr.port !== b.localAddr.port) return false;
  const [hostA, hostB] = [a.localAddr.host, b.localAddr.host];
  if (isIPv6(hostA) !== isIPv6(hostB)) return false;
  return hostA === hostB || isWildcard(hostA) || isWildcard(hostB);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
