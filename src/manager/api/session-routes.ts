import { z } from 'zod';
import type { Identity } from '../access/identity.ts';
import type { Oidc } from '../access/oidc.ts';
import { OidcRefusal } from '../access/oidc-refusal.ts';
import type { Client, SignIn } from '../access/sign-in.ts';
import { apiRoute, type ApiRequest, type ApiRoute } from './api-route.ts';
import { sessionCookie } from './credentials.ts';
import { meSchema, type SignInRefusal } from '../views/access.ts';
import { Refusal } from './refusal.ts';

const oidcCookie = '__Host-adit-oidc';

export const nameSchema = z
  .string()
  .min(1)
  .max(200)
  .refine((name) => name.trim() === name, { error: 'begins or ends with a space' });
const passwordSchema = z.string().max(10_000);
const nothing = z.object({});

export interface SessionParts {
  readonly signIn: SignIn;
  readonly oidc: Oidc | null;
}

/** Signing in and out. */
export function sessionRoutes({ signIn, oidc }: SessionParts): readonly ApiRoute[] {
  return [
    ...passwordRoutes(signIn),
    apiRoute({
      method: 'GET',
      path: 'login-methods',
      summary: 'Ways to sign in that this manager offers.',
      access: 'public',
      answer: z.object({ password: z.boolean(), oidc: z.boolean() }),
      handle: () => Promise.resolve({ body: { password: true, oidc: oidc !== null } }),
    }),
    apiRoute({
      method: 'GET',
      path: 'me',
      summary: 'Who the credential belongs to.',
      access: 'any',
      answer: meSchema,
      handle: ({ identity }) => Promise.resolve({ body: me(identity) }),
    }),
    apiRoute({
      method: 'POST',
      path: 'logout',
      summary: 'Ends the session.',
      access: 'any',
      body: nothing,
      answer: nothing,
      async handle({ identity, ip }) {
        if (identity !== null) await signIn.signOut(identity, ip);
        return { body: {}, cookies: { [sessionCookie]: null } };
      },
    }),
    ...(oidc === null ? [] : oidcRoutes(oidc, signIn)),
  ];
}

function passwordRoutes(signIn: SignIn): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'POST',
      path: 'login',
      summary: 'Opens a session; its token comes back as a cookie.',
      access: 'public',
      body: z.object({ name: z.string().max(200), password: passwordSchema }),
      answer: meSchema,
      async handle(request) {
        const { name, password } = request.body;
        const { token, identity } = await signIn.withPassword(name, password, clientOf(request));
        return { body: me(identity), cookies: { [sessionCookie]: token } };
      },
    }),
    apiRoute({
      method: 'POST',
      path: 'first-admin',
      summary: 'Makes the first administrator, with the token of the link that the manager printed at its start.',
      access: 'public',
      body: z.object({ token: z.string().max(200), name: nameSchema, password: passwordSchema }),
      answer: meSchema,
      async handle(request) {
        const { token, name, password } = request.body;
        const session = await signIn.takeFirstAdmin(token, name, password, clientOf(request));
        return { body: me(session.identity), cookies: { [sessionCookie]: session.token } };
      },
    }),
    apiRoute({
      method: 'POST',
      path: 'password',
      summary: 'Changes the own password and ends the other sessions.',
      access: 'any',
      body: z.object({ current: passwordSchema, password: passwordSchema }),
      answer: nothing,
      async handle({ identity, body, ip }) {
        if (identity?.kind !== 'user') throw new Refusal(403, 'not_a_user', 'An API token has no password.');
        await signIn.changePassword(identity, body.current, body.password, ip);
        return { body: {} };
      },
    }),
  ];
}

function oidcRoutes(oidc: Oidc, signIn: SignIn): readonly ApiRoute[] {
  const callback = (origin: string) => `${origin}/api/v1/oidc/callback`;
  return [
    apiRoute({
      method: 'GET',
      path: 'oidc/start',
      summary: 'Sends the browser to the identity provider.',
      access: 'public',
      answer: z.string(),
      status: 302,
      async handle({ origin }) {
        return orSignInPage(async () => {
          const { url, cookie } = await oidc.start(callback(origin));
          return { body: url, cookies: { [oidcCookie]: cookie } };
        });
      },
    }),
    apiRoute({
      method: 'GET',
      path: 'oidc/callback',
      summary: 'Where the identity provider sends the browser back to.',
      access: 'public',
      query: z.object({
        ...{ code: z.string().optional(), state: z.string().optional(), iss: z.string().optional() },
        error: z.string().optional().describe('Why the provider refused.'),
      }),
      answer: z.string(),
      status: 302,
      async handle(request) {
        const answer = new URL(callback(request.origin));
        for (const [name, value] of Object.entries(request.query)) {
          if (typeof value === 'string') answer.searchParams.set(name, value);
        }
        return orSignInPage(async () => {
          const user = await oidc.finish(answer, request.cookies[oidcCookie], request.ip);
          const { token } = await signIn.openSession(user, clientOf(request), 'login.oidc');
          return { body: '/', cookies: { [sessionCookie]: token, [oidcCookie]: null } };
        });
      },
    }),
  ];
}

interface Redirect {
  readonly body: string;
  readonly cookies?: Readonly<Record<string, string | null>>;
}

/** This request comes from a browser: a refusal leads back to the page, which explains it. */
async function orSignInPage(attempt: () => Promise<Redirect>): Promise<Redirect> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof OidcRefusal)) throw error;
    const { reason, providerCode } = error;
    const refusal: SignInRefusal = { sign_in: reason, ...(providerCode !== null && { provider: providerCode }) };
    return { body: `/?${new URLSearchParams({ ...refusal }).toString()}` };
  }
}

function clientOf({ ip, userAgent }: Pick<ApiRequest, 'ip' | 'userAgent'>): Client {
  return { ip, userAgent };
}

function me(identity: Identity | null): z.input<typeof meSchema> {
  if (identity === null) throw new Refusal(401, 'unauthorized', 'Sign in, or send a valid API token.');
  const { id, name, role, kind, expiresAt } = identity;
  return { id, name, role, kind, expires_at: expiresAt };
}
