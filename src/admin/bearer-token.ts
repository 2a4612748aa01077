import { secretsEqual } from '../protocol/tunnel/bind-token.ts';
import type { Route } from './route.ts';

export type AccessDecision = 'allowed' | 'token-needed' | 'token-not-configured';

/** Whether a request may use a route; the token is compared in constant time (conformance I7). */
export function decideAccess(
  access: Route['access'],
  apiToken: string | null,
  authorization: string | undefined,
): AccessDecision {
  if (access === 'public') return 'allowed';
  if (apiToken === null) return access === 'token' ? 'allowed' : 'token-not-configured';
  const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  return given !== undefined && secretsEqual(given, apiToken) ? 'allowed' : 'token-needed';
}
