import type { ConfigProblem } from './config-problem.ts';
import { formatSocketAddress, isLoopback, parseSocketAddress } from '../lib/socket-address.ts';

/**
 * What is wrong where other hosts could use the REST API that listens on `addresses` (`ip:port`, one or a list) without
 * a token. Takes the values as the file has them; what is no address has a problem of its own.
 */
export function unprotectedApi(key: string, addresses: unknown, apiToken: unknown): readonly ConfigProblem[] {
  const listed = (Array.isArray(addresses) ? addresses : [addresses]).filter((each) => typeof each === 'string');
  const open = listed.filter((address) => !isOwn(address));
  if ((apiToken ?? null) !== null || open.length === 0) return [];
  const problem = `would offer the REST API to the network without a token (${open.join(', ')})`;
  return [{ path: key, problem, remedy: 'set api_token (openssl rand -hex 32 makes one), or listen on 127.0.0.1' }];
}

/** The same ports on loopback, each once. What is no address stays as it is. */
export function onLoopback(addresses: readonly unknown[]): readonly unknown[] {
  return [...new Set(addresses.map((address) => (typeof address === 'string' ? loopbackOf(address) : address)))];
}

function loopbackOf(text: string): string {
  const address = parseSocketAddress(text);
  if (address === null || isOwn(text)) return text;
  return formatSocketAddress({ ip: address.ip.includes(':') ? '::1' : '127.0.0.1', port: address.port });
}

function isOwn(text: string): boolean {
  const address = parseSocketAddress(text);
  return address === null || isLoopback(address.ip);
}
