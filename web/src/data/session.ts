import { signal } from '@preact/signals';
import type { Me, Role } from './shapes.ts';

/** The signed-in user; null without one. */
export const me = signal<Me | null>(null);

/** True once the server has refused a request for want of a session. The log-in dialogue covers the page meanwhile. */
export const signInNeeded = signal(false);

const ranks: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

export function may(role: Role): boolean {
  const current = me.value;
  return current !== null && ranks[current.role] >= ranks[role];
}

const waiting = new Set<() => void>();

/** Resolves at the next sign-in. */
export function untilSignedIn(): Promise<void> {
  signInNeeded.value = true;
  return new Promise((resolve) => waiting.add(resolve));
}

export function signedIn(user: Me): void {
  me.value = user;
  signInNeeded.value = false;
  for (const resolve of waiting) resolve();
  waiting.clear();
}

/** The manager says that the session is over: the log-in covers the page at once. */
export function sessionEnded(): void {
  if (me.value !== null) signInNeeded.value = true;
}

export function signedOut(): void {
  me.value = null;
  signInNeeded.value = true;
}
