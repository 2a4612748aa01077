import type { Role } from '../store/access-schema.ts';

const ranks: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

/** Whether `role` may do what needs at least `least`: viewer < operator < admin. */
export function roleAllows(role: Role, least: Role): boolean {
  return ranks[role] >= ranks[least];
}

/** The highest of several roles; null of none. */
export function highestRole(roles: readonly Role[]): Role | null {
  return roles.reduce<Role | null>((best, role) => (best !== null && roleAllows(best, role) ? best : role), null);
}
