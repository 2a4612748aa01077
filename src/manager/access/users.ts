import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Actor } from '../fleet.ts';
import type { ApiTokenRow, Role, UserRow } from '../store/access-schema.ts';
import type { AccessStore } from '../store/access-store.ts';
import { AccessError } from './access-error.ts';
import { audit } from './audited.ts';
import { newId } from './new-id.ts';
import { hashToken, newToken } from './opaque-token.ts';
import { hashPassword } from './password.ts';
import { apiTokenPrefix, refusePassword } from './sign-in.ts';

export interface UsersDependencies {
  readonly store: AccessStore;
  readonly clock: Clock;
  readonly random: Random;
}

export interface UserChangeInput {
  readonly role?: Role | undefined;
  readonly disabled?: boolean | undefined;
  readonly password?: string | undefined;
}

/** What administrators do with users and API tokens. Each change is audited in its transaction. */
export class Users {
  readonly #dependencies: UsersDependencies;

  constructor(dependencies: UsersDependencies) {
    this.#dependencies = dependencies;
  }

  /** Rejects with AccessError `name_taken` or `invalid`. */
  async create(input: { name: string; password: string; role: Role }, actor: Actor): Promise<UserRow> {
    const { store, clock, random } = this.#dependencies;
    refusePassword(input.password, input.name);
    const password_hash = await hashPassword(input.password, random);
    const now = clock.now();
    const user: UserRow = {
      ...{ id: newId(random), name: input.name, password_hash, oidc_subject: null, role: input.role },
      ...{ disabled_at: null, generation: 1, created_at: now, updated_at: now },
    };
    await store.transaction(async (inner) => {
      const taken = (await inner.users.byName(input.name)) !== null || !(await inner.users.insert(user));
      if (taken) throw nameTaken(input.name);
      await audit(inner, actor, now, { action: 'user.create', target: user.name, after: shown(user) });
    });
    return user;
  }

  /** Ends the user's sessions where the change takes rights away. Rejects with AccessError. */
  async change(id: string, input: UserChangeInput, generation: number | null, actor: Actor): Promise<UserRow> {
    const { store, clock, random } = this.#dependencies;
    const now = clock.now();
    const before = await this.get(id);
    if (input.password !== undefined) refusePassword(input.password, before.name);
    const password_hash = input.password === undefined ? undefined : await hashPassword(input.password, random);
    return store.transaction(async (inner) => {
      await inner.users.lock();
      const user = await inner.users.change(
        id,
        {
          ...(input.role !== undefined && { role: input.role }),
          ...(input.disabled !== undefined && { disabled_at: input.disabled ? now : null }),
          ...(password_hash !== undefined && { password_hash }),
          updated_at: now,
        },
        generation ?? undefined,
      );
      if (user === null) throw stale(before.name);
      await refuseNoAdmin(inner, before);
      await inner.sessions.removeOf(id);
      const note = { action: 'user.change', target: user.name, before: shown(before), after: shown(user) };
      await audit(inner, actor, now, note);
      return user;
    });
  }

  /** Rejects with AccessError `stale`, `last_admin` or `not_found`. */
  async remove(id: string, generation: number | null, actor: Actor): Promise<void> {
    const { store, clock } = this.#dependencies;
    const before = await this.get(id);
    await store.transaction(async (inner) => {
      await inner.users.lock();
      if (!(await inner.users.remove(id, generation ?? undefined))) throw stale(before.name);
      await refuseNoAdmin(inner, before);
      await audit(inner, actor, clock.now(), { action: 'user.delete', target: before.name, before: shown(before) });
    });
  }

  /** Rejects with AccessError `not_found`. */
  async get(id: string): Promise<UserRow> {
    const user = await this.#dependencies.store.users.get(id);
    if (user === null) throw new AccessError('not_found', `User '${id}' not found`);
    return user;
  }

  /** The token is in this answer and nowhere else. */
  async createToken(
    input: { name: string; role: Role; expires_at: number | null },
    actor: Actor,
  ): Promise<{ readonly row: ApiTokenRow; readonly token: string }> {
    const { store, clock, random } = this.#dependencies;
    const token = newToken(random, apiTokenPrefix);
    const now = clock.now();
    const row: ApiTokenRow = {
      ...{ id: newId(random), hash: hashToken(token), ...input, created_by: actor.name },
      ...{ created_at: now, last_used_at: null },
    };
    await store.transaction(async (inner) => {
      await inner.tokens.insert(row);
      const after = { name: row.name, role: row.role, expires_at: row.expires_at };
      await audit(inner, actor, now, { action: 'api_token.create', target: row.name, after });
    });
    return { row, token };
  }

  /** Rejects with AccessError `not_found`. */
  async revokeToken(id: string, actor: Actor): Promise<void> {
    const { store, clock } = this.#dependencies;
    await store.transaction(async (inner) => {
      const row = await inner.tokens.get(id);
      if (row === null) throw new AccessError('not_found', `API token '${id}' not found`);
      await inner.tokens.remove(id);
      await audit(inner, actor, clock.now(), { action: 'api_token.delete', target: row.name });
    });
  }
}

function stale(name: string): AccessError {
  return new AccessError('stale', `${name} has changed meanwhile; read it again`);
}

function nameTaken(name: string): AccessError {
  const message = `There is a user '${name}' already`;
  return new AccessError('name_taken', message, [{ path: 'name', message: 'is taken' }]);
}

/**
 * Rolls the transaction back where it took the last administrator away. Where there was none before, as when all come
 * from the identity provider, others may still be changed.
 */
async function refuseNoAdmin(store: AccessStore, before: UserRow): Promise<void> {
  if (before.role !== 'admin' || before.disabled_at !== null || (await store.users.countAdmins()) > 0) return;
  throw new AccessError('last_admin', 'This is the last administrator; make another one first');
}

function shown({ name, role, disabled_at }: UserRow): object {
  return { name, role, disabled: disabled_at !== null };
}
