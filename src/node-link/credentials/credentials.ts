/** What a node proves itself with. Immutable: each step of registration and rotation makes a new value. */
export interface Credentials {
  readonly nodeId: string;
  /** The newest secret; tried first. */
  readonly secret: string;
  /** Every secret since the last one that the manager accepted, that one included; newest first. */
  readonly previousSecrets: readonly string[];
}

/** Enough for any manager that rotates again before a reconnect, and small enough that trying all takes seconds. */
export const maxPreviousSecrets = 8;

export type Rotation =
  | { readonly kind: 'rotated'; readonly credentials: Credentials }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'too-many-unconfirmed' };

/** In the order in which the manager is to be offered them. */
export function candidateSecrets(credentials: Credentials): readonly string[] {
  return [credentials.secret, ...credentials.previousSecrets];
}

/** The manager ordered a new secret; it may still, after a crash of either side, know only one of the old ones. */
export function rotate(credentials: Credentials, newSecret: string): Rotation {
  if (newSecret === credentials.secret) return { kind: 'unchanged' };
  const previousSecrets = candidateSecrets(credentials).filter((secret) => secret !== newSecret);
  if (previousSecrets.length > maxPreviousSecrets) return { kind: 'too-many-unconfirmed' };
  return { kind: 'rotated', credentials: { ...credentials, secret: newSecret, previousSecrets } };
}

/** The manager accepted `secret`, so it is the only one that it knows. Returns the same value when nothing changes. */
export function confirm(credentials: Credentials, secret: string): Credentials {
  if (secret === credentials.secret && credentials.previousSecrets.length === 0) return credentials;
  return { ...credentials, secret, previousSecrets: [] };
}
