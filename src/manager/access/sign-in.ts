import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { addressBlock } from '../../lib/socket-address.ts';
import type { UserRow } from '../store/access-schema.ts';
import type { AccessStore } from '../store/access-store.ts';
import { AccessError } from './access-error.ts';
import { AttemptLimiter } from './attempt-limiter.ts';
import { audit } from './audited.ts';
import { actorOf, anonymous, type Identity } from './identity.ts';
import { hashToken, newToken } from './opaque-token.ts';
import { hashPassword, passwordMatches, passwordProblem } from './password.ts';
import { newId } from './new-id.ts';

const hourMs = 3_600_000;
/** A session ends a day after it began, whatever happens. */
const sessionMs = 24 * hourMs;
/** … or after so long without a request. */
const idleMs = 8 * hourMs;
/** `last_used_at` is written at most so often. */
const touchEveryMs = 60_000;
const attemptsPerMinute = 5;
const firstAdminMs = hourMs;
export const apiTokenPrefix = 'adit_';

export interface SignInDependencies {
  readonly store: AccessStore;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Client {
  readonly ip: string | null;
  readonly userAgent: string | null;
}

export interface NewSession {
  /** For the cookie; nowhere stored. */
  readonly token: string;
  readonly identity: Identity;
}

/** Proves an identity by password, session cookie, API token or the one-time link of the first start. */
export class SignIn {
  readonly #dependencies: SignInDependencies;
  readonly #byAddress = new AttemptLimiter(attemptsPerMinute);
  readonly #byName = new AttemptLimiter(attemptsPerMinute);
  #firstAdmin: { readonly hash: string; readonly untilMs: number } | null = null;

  constructor(dependencies: SignInDependencies) {
    this.#dependencies = dependencies;
  }

  /** Rejects with AccessError `invalid_credentials` or `too_many_attempts`; unknown names take the same time. */
  async withPassword(name: string, password: string, client: Client): Promise<NewSession> {
    const { store, clock } = this.#dependencies;
    const atMs = this.#admitAttempt(name, client.ip);
    const user = await store.users.byName(name);
    const matches = await passwordMatches(password, user?.password_hash ?? null);
    if (!matches || user?.disabled_at !== null) {
      const note = { action: 'login', target: name.slice(0, 256), outcome: 'refused' };
      await store.transaction((inner) => audit(inner, anonymous(name.slice(0, 256), client.ip), clock.now(), note));
      throw new AccessError('invalid_credentials', 'The name or the password is wrong.');
    }
    this.#succeeded(name, client.ip, atMs);
    return this.openSession(user, client, 'login');
  }

  /**
   * A session for a user whose identity was proved with `user` as it was read; writes the audit row. Rejects with
   * AccessError `invalid_credentials` when the user was removed or disabled, or got another password, meanwhile.
   */
  async openSession(user: UserRow, client: Client, action: string): Promise<NewSession> {
    const { store, clock, random } = this.#dependencies;
    const token = newToken(random);
    const now = clock.now();
    const session = {
      token_hash: hashToken(token),
      user_id: user.id,
      created_at: now,
      last_used_at: now,
      expires_at: now + sessionMs,
      ip: client.ip,
      user_agent: client.userAgent?.slice(0, 256) ?? null,
    };
    return store.transaction(async (inner) => {
      const current = await asProved(inner, user);
      if (current === null) {
        throw new AccessError('invalid_credentials', `The user '${user.name}' was changed meanwhile. Sign in again.`);
      }
      const identity = identityOf(current, session.token_hash, session.expires_at);
      await inner.sessions.removeExpired(now, now - idleMs);
      await inner.sessions.insert(session);
      await audit(inner, actorOf(identity, client.ip), now, { action, target: current.name });
      return { token, identity };
    });
  }

  /** Null for a session that is unknown, over, idle for too long, or of a user who may not sign in. */
  async bySession(token: string): Promise<Identity | null> {
    return this.bySessionHash(hashToken(token));
  }

  async bySessionHash(hash: string): Promise<Identity | null> {
    const { store, clock } = this.#dependencies;
    const session = await store.sessions.get(hash);
    const now = clock.now();
    if (session === null || session.expires_at <= now || session.last_used_at <= now - idleMs) return null;
    const user = await store.users.get(session.user_id);
    if (user?.disabled_at !== null) return null;
    if (session.last_used_at <= now - touchEveryMs) await store.sessions.touch(hash, now);
    return identityOf(user, hash, session.expires_at);
  }

  /** Null for a token that is unknown or has expired. */
  async byApiToken(token: string): Promise<Identity | null> {
    if (!token.startsWith(apiTokenPrefix)) return null;
    const { store, clock } = this.#dependencies;
    const row = await store.tokens.byHash(hashToken(token));
    const now = clock.now();
    if (row === null || (row.expires_at !== null && row.expires_at <= now)) return null;
    if (row.last_used_at === null || row.last_used_at <= now - touchEveryMs) await store.tokens.touch(row.id, now);
    return { kind: 'token', id: row.id, name: row.name, role: row.role, sessionHash: null, expiresAt: row.expires_at };
  }

  async signOut(identity: Identity, ip: string | null): Promise<void> {
    const { store, clock } = this.#dependencies;
    const { sessionHash } = identity;
    if (sessionHash === null) return;
    await store.transaction(async (inner) => {
      await inner.sessions.remove(sessionHash);
      await audit(inner, actorOf(identity, ip), clock.now(), { action: 'logout', target: identity.name });
    });
  }

  /** Ends the user's other sessions. Rejects with AccessError `invalid_credentials` or `invalid`. */
  async changePassword(identity: Identity, current: string, wanted: string, ip: string | null): Promise<void> {
    const { store, clock, random } = this.#dependencies;
    const atMs = this.#admitAttempt(identity.name, ip);
    const user = identity.kind === 'user' ? await store.users.get(identity.id) : null;
    if (user === null || !(await passwordMatches(current, user.password_hash))) {
      throw new AccessError('invalid', 'The current password is wrong.', [{ path: 'current', message: 'is wrong' }]);
    }
    this.#succeeded(identity.name, ip, atMs);
    refusePassword(wanted, user.name);
    const password_hash = await hashPassword(wanted, random);
    await store.transaction(async (inner) => {
      if ((await asProved(inner, user)) === null) {
        throw new AccessError('invalid', 'The password was changed meanwhile.', [
          { path: 'current', message: 'is wrong' },
        ]);
      }
      await inner.users.change(user.id, { password_hash, updated_at: clock.now() });
      await inner.sessions.removeOf(user.id, identity.sessionHash ?? undefined);
      await audit(inner, actorOf(identity, ip), clock.now(), { action: 'password.change', target: user.name });
    });
  }

  /** The secret of the one-time link, valid for an hour; null once there is a user. */
  async offerFirstAdmin(): Promise<string | null> {
    const { store, clock, random } = this.#dependencies;
    if ((await store.users.count()) > 0) return null;
    const token = newToken(random);
    this.#firstAdmin = { hash: hashToken(token), untilMs: clock.monotonicMs() + firstAdminMs };
    return token;
  }

  /** Rejects with AccessError `first_admin_done` unless the token is the one offered and there is no user yet. */
  async takeFirstAdmin(token: string, name: string, password: string, client: Client): Promise<NewSession> {
    const atMs = this.#admitAttempt('first admin', client.ip);
    if (!this.#isOffered(token)) {
      throw new AccessError('first_admin_done', 'This link is not valid any more. Restart the manager for a new one.');
    }
    this.#succeeded('first admin', client.ip, atMs);
    const user = await this.createFirstAdmin(name, password, client.ip);
    this.#firstAdmin = null;
    return this.openSession(user, client, 'login');
  }

  /** The first user of all. Rejects with AccessError `first_admin_done` when there is one. */
  async createFirstAdmin(name: string, password: string, ip: string | null): Promise<UserRow> {
    const { store, clock, random } = this.#dependencies;
    refusePassword(password, name);
    const password_hash = await hashPassword(password, random);
    const now = clock.now();
    const user: UserRow = {
      ...{
        id: newId(random),
        name,
        password_hash,
        oidc_subject: null,
        role: 'admin',
        disabled_at: null,
        generation: 1,
      },
      ...{ created_at: now, updated_at: now },
    };
    await store.transaction(async (inner) => {
      await inner.users.lock();
      if ((await inner.users.count()) > 0)
        throw new AccessError('first_admin_done', 'There is an administrator already.');
      await inner.users.insert(user);
      const note = { action: 'user.create', target: name, after: { name, role: 'admin' } };
      await audit(inner, anonymous('first administrator', ip), now, note);
    });
    return user;
  }

  #isOffered(token: string): boolean {
    const offered = this.#firstAdmin;
    if (offered === null || this.#dependencies.clock.monotonicMs() >= offered.untilMs) return false;
    return equal(offered.hash, hashToken(token));
  }

  /**
   * Counts an attempt before it is judged: of many that come at once, no more than the limit are. Returns when it was,
   * for `#succeeded`. Throws AccessError `too_many_attempts`.
   */
  #admitAttempt(name: string, ip: string | null): number {
    const now = this.#dependencies.clock.monotonicMs();
    const key = nameKey(name);
    const block = ip === null ? [] : [addressBlock(ip)];
    const waitMs = Math.max(this.#byName.waitMs([key], now), this.#byAddress.waitMs(block, now));
    if (waitMs > 0) {
      throw new AccessError('too_many_attempts', `Too many attempts. Try again in ${Math.ceil(waitMs / 1_000)} s.`);
    }
    this.#byName.record([key], now);
    this.#byAddress.record(block, now);
    return now;
  }

  #succeeded(name: string, ip: string | null, atMs: number): void {
    this.#byName.forget(nameKey(name));
    if (ip !== null) this.#byAddress.withdraw(addressBlock(ip), atMs);
  }
}

/**
 * The user as stored now, locked until the transaction ends. Null when what proved the identity holds no more: the
 * check of a password takes longer than a change by an administrator.
 */
async function asProved(store: AccessStore, proved: UserRow): Promise<UserRow | null> {
  await store.users.lock();
  const user = await store.users.get(proved.id);
  const holds = user?.disabled_at === null && user.password_hash === proved.password_hash;
  return holds ? user : null;
}

function nameKey(name: string): string {
  return name.toLowerCase().slice(0, 256);
}

function identityOf(user: UserRow, sessionHash: string, expiresAt: number): Identity {
  return { kind: 'user', id: user.id, name: user.name, role: user.role, sessionHash, expiresAt };
}

/** Throws AccessError `invalid` for a password that the policy refuses. */
export function refusePassword(password: string, name: string): void {
  const problem = passwordProblem(password, name);
  if (problem === null) return;
  throw new AccessError('invalid', `The password ${problem}.`, [{ path: 'password', message: problem }]);
}

function equal(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
