import type { Actor } from '../fleet.ts';
import type { Role } from '../store/access-schema.ts';

/** The proved author of a request. */
export interface Identity {
  readonly kind: 'user' | 'token';
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the session's token; null for an API token. */
  readonly sessionHash: string | null;
  readonly expiresAt: number | null;
}

export function actorOf({ name, kind, role }: Identity, ip: string | null): Actor {
  return { name, kind, role, ip };
}

/** The author of what is done before a proof: signing in, the first administrator. */
export function anonymous(name: string, ip: string | null): Actor {
  return { name, kind: 'anonymous', role: 'viewer', ip };
}
