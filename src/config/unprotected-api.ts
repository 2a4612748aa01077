import type { ConfigProblem } from './config-problem.ts';
import { isLoopback, parseSocketAddress } from '../lib/socket-address.ts';

/** A warning where other hosts can read the REST API that listens on `addresses` (`ip:port`) without a token. */
export function unprotectedApi(
  key: string,
  addresses: readonly string[],
  apiToken: string | null,
): readonly ConfigProblem[] {
  const open = addresses.filter((address) => !isLoopback(parseSocketAddress(address)?.ip ?? ''));
  if (apiToken !== null || open.length === 0) return [];
  const problem = `offers the REST API to the network without a token (${open.join(', ')})`;
  return [{ path: key, problem, remedy: 'set api_token, or listen on 127.0.0.1' }];
}
