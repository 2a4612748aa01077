import { readFile } from 'node:fs/promises';
import type { Configuration } from 'openid-client';
import type { Clock } from '../../lib/clock.ts';
import { keptOnceMade } from '../../lib/kept-once-made.ts';
import type { Random } from '../../lib/random.ts';
import type { Sealing } from '../secrets/sealing.ts';
import type { Role, UserRow } from '../store/access-schema.ts';
import type { AccessStore } from '../store/access-store.ts';
import { audit } from './audited.ts';
import { anonymous } from './identity.ts';
import { newId } from './new-id.ts';
import { OidcRefusal } from './oidc-refusal.ts';
import { highestRole } from './roles.ts';

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecretPath: string;
  readonly groupsClaim: string;
  readonly roles: Readonly<Record<string, Role>>;
}

export interface OidcDependencies {
  readonly store: AccessStore;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly random: Random;
}

/** What the browser brings back with the provider's answer, sealed in a cookie: any instance can finish the sign-in. */
interface Pending {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
  readonly until: number;
}

const pendingMs = 600_000;
const place = { table: 'oidc', column: 'pending', id: 'cookie' } as const;

/** Sign-in through an identity provider: authorization code with PKCE (RFC 7636); groups give the role. */
export class Oidc {
  readonly #dependencies: OidcDependencies;
  readonly #settings: OidcSettings;
  /** Discovered at the first sign-in. */
  readonly #configuration = keptOnceMade(() => this.#read());

  constructor(dependencies: OidcDependencies, settings: OidcSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
  }

  /** Where to send the browser, and the cookie that it must bring back. Rejects with OidcRefusal `provider_away`. */
  async start(callback: string): Promise<{ readonly url: string; readonly cookie: string }> {
    const client = await import('openid-client');
    const configuration = await this.#discover();
    const { sealing, clock } = this.#dependencies;
    const pending: Pending = {
      verifier: client.randomPKCECodeVerifier(),
      state: client.randomState(),
      nonce: client.randomNonce(),
      until: clock.now() + pendingMs,
    };
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: callback,
      scope: 'openid profile email groups',
      code_challenge: await client.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
      state: pending.state,
      nonce: pending.nonce,
    });
    return { url: url.href, cookie: sealing.seal(JSON.stringify(pending), place) };
  }

  /** The user that the provider vouches for. Rejects with OidcRefusal. */
  async finish(answer: URL, cookie: string | undefined, ip: string | null): Promise<UserRow> {
    const client = await import('openid-client');
    const { verifier, state, nonce } = this.#open(cookie);
    try {
      const configuration = await this.#discover();
      const tokens = await client.authorizationCodeGrant(configuration, answer, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new TypeError('the provider sent no ID token');
      if (claims[this.#settings.groupsClaim] !== undefined) return await this.#userOf(claims, ip);
      // Many providers keep the ID token small (OpenID Connect Core 1.0, section 5.4).
      const more = await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
      return await this.#userOf({ ...more, ...claims }, ip);
    } catch (cause) {
      if (cause instanceof OidcRefusal) throw cause;
      throw new OidcRefusal('not_confirmed', codeOf(cause));
    }
  }

  #open(cookie: string | undefined): Pending {
    if (cookie === undefined) throw new OidcRefusal('not_started');
    try {
      const pending = JSON.parse(this.#dependencies.sealing.open(cookie, place)) as Pending;
      if (pending.until > this.#dependencies.clock.now()) return pending;
    } catch {
      // A cookie that is not ours is as good as none.
    }
    throw new OidcRefusal('expired');
  }

  async #userOf(claims: Readonly<Record<string, unknown>>, ip: string | null): Promise<UserRow> {
    const { store, clock, random } = this.#dependencies;
    const subject = `${this.#settings.issuer} ${String(claims['sub'])}`;
    const role = this.#roleOf(claims[this.#settings.groupsClaim]);
    const now = clock.now();
    return store.transaction(async (inner) => {
      const known = await inner.users.bySubject(subject);
      if (known !== null && known.disabled_at !== null) throw new OidcRefusal('disabled');
      const name = known?.name ?? (await freeName(inner, claims));
      const row: UserRow = {
        ...{ id: newId(random), name, password_hash: null, oidc_subject: subject, role, disabled_at: null },
        ...{ generation: 1, created_at: now, updated_at: now },
      };
      if (known === null) await inner.users.insert(row);
      const user = known === null ? row : ((await inner.users.change(known.id, { role, updated_at: now })) ?? known);
      if (known?.role !== role) {
        const note = { action: known === null ? 'user.create' : 'user.change', target: name, after: { name, role } };
        await audit(inner, anonymous('identity provider', ip), now, note);
      }
      return user;
    });
  }

  #roleOf(groups: unknown): Role {
    const names = Array.isArray(groups) ? groups.map(String) : [];
    const role = highestRole(names.map((name) => this.#settings.roles[name]).filter((one) => one !== undefined));
    if (role !== null) return role;
    throw new OidcRefusal('no_role');
  }

  async #discover(): Promise<Configuration> {
    try {
      return await this.#configuration();
    } catch {
      throw new OidcRefusal('provider_away');
    }
  }

  async #read(): Promise<Configuration> {
    const client = await import('openid-client');
    const secret = (await readFile(this.#settings.clientSecretPath, 'utf8')).trim();
    return client.discovery(new URL(this.#settings.issuer), this.#settings.clientId, secret);
  }
}

function codeOf(cause: unknown): string | null {
  const code = cause instanceof Error && 'error' in cause ? cause.error : null;
  return typeof code === 'string' && /^[a-z_]{1,60}$/.test(code) ? code : null;
}

async function freeName(store: AccessStore, claims: Readonly<Record<string, unknown>>): Promise<string> {
  const wanted = [claims['preferred_username'], claims['email'], claims['name'], claims['sub']].find(
    (value) => typeof value === 'string' && value !== '',
  );
  const name = String(wanted).slice(0, 120);
  return (await store.users.byName(name)) === null ? name : `${name} (${String(claims['sub']).slice(0, 100)})`;
}
