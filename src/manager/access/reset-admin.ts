import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Actor } from '../fleet.ts';
import type { UserRow } from '../store/access-schema.ts';
import type { AccessStore } from '../store/access-store.ts';
import { audit } from './audited.ts';
import { newId } from './new-id.ts';
import { hashPassword } from './password.ts';
import { refusePassword } from './sign-in.ts';

/** The author of changes at the machine itself, without signing in. */
export const atTheConsole: Actor = { name: 'console', kind: 'system', role: 'admin', ip: null };

export interface ResetAdminDependencies {
  readonly store: AccessStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
}

/**
 * Makes the user an administrator who may sign in with this password, and ends the user's sessions; a user that is not
 * there is made. Rejects with AccessError `invalid` for a password that is refused.
 */
export async function resetAdmin(
  { store, clock, random }: ResetAdminDependencies,
  { name, password }: { readonly name: string; readonly password: string },
): Promise<'made' | 'changed'> {
  refusePassword(password, name);
  const password_hash = await hashPassword(password, random);
  const now = clock.now();
  return store.transaction(async (inner) => {
    const known = await inner.users.byName(name);
    if (known === null) {
      const user: UserRow = {
        ...{ id: newId(random), name, password_hash, oidc_subject: null, role: 'admin' },
        ...{ disabled_at: null, generation: 1, created_at: now, updated_at: now },
      };
      await inner.users.insert(user);
    } else {
      await inner.users.change(known.id, { role: 'admin', disabled_at: null, password_hash, updated_at: now });
      await inner.sessions.removeOf(known.id);
    }
    await audit(inner, atTheConsole, now, {
      action: 'user.reset',
      target: known?.name ?? name,
      before: known === null ? null : { role: known.role, disabled: known.disabled_at !== null },
      after: { role: 'admin', disabled: false },
    });
    return known === null ? 'made' : 'changed';
  });
}
