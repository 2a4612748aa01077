import type { FastifyRequest } from 'fastify';
import { isOwnSite } from '../access/cross-site.ts';
import type { Identity } from '../access/identity.ts';
import { roleAllows } from '../access/roles.ts';
import type { SignIn } from '../access/sign-in.ts';
import type { Access } from './api-route.ts';
import { Refusal } from './refusal.ts';

export const sessionCookie = '__Host-adit';

const safeMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

export interface CredentialSource {
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
}

/** The bearer token of an `Authorization` header; null for another scheme. */
function bearerOf(authorization: string | undefined): string | null {
  return /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? null;
}

/** The owner of a credential; null without one or with an invalid one. Both at once: Refusal 400. */
export async function identify(signIn: SignIn, { authorization, cookie }: CredentialSource): Promise<Identity | null> {
  if (authorization !== undefined && cookie !== undefined) {
    throw new Refusal(400, 'two_credentials', 'Send a bearer token or a session cookie, not both.');
  }
  if (authorization === undefined) return cookie === undefined ? null : signIn.bySession(cookie);
  const token = bearerOf(authorization);
  return token === null ? null : signIn.byApiToken(token);
}

/** Throws a Refusal 401 or 403 unless the identity may use the route. */
export function requireAccess(access: Access, identity: Identity | null): void {
  if (access === 'public') return;
  if (identity === null) throw new Refusal(401, 'unauthorized', 'Sign in, or send a valid API token.');
  if (access === 'any' || roleAllows(identity.role, access)) return;
  throw new Refusal(403, 'insufficient_role', `This needs the role ${access}; you are ${identity.role}.`, {
    required_role: access,
  });
}

/**
 * Throws a Refusal 403 for a request that another site made a browser send: every unsafe one with a cookie must come
 * from our own page. A public one (signing in) is refused only when the browser names another site.
 */
export function refuseCrossSite(request: FastifyRequest, publicUrl: string | null, hasCookie: boolean): void {
  if (safeMethods.includes(request.method)) return;
  const { origin, host } = request.headers;
  const fetchSite = request.headers['sec-fetch-site'];
  const namesOrigin = fetchSite !== undefined || origin !== undefined;
  if (!hasCookie && !namesOrigin) return;
  const from = { fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined, origin, host };
  if (isOwnSite(from, publicUrl)) return;
  throw new Refusal(403, 'cross_site', 'A request with a cookie must come from the page of this manager.');
}
