import type { BindRefusal } from '../../protocol/tunnel/bind-refusal.ts';
import {
  bindTokensDigest,
  computeBindProof,
  computeBindToken,
  secretsEqual,
} from '../../protocol/tunnel/bind-token.ts';
import type { Direction } from '../../protocol/tunnel/leg.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';

export interface BindPolicySettings {
  readonly requireBindAuth: boolean;
  readonly requireBindProof: boolean;
  /** Dynamic authorisations and revocations that are kept at most, each. */
  readonly maxAuthorizations: number;
}

/** Both finished tokens of a tunnel, as a manager sends them. */
export interface BindTokens {
  readonly ingress: string;
  readonly egress: string;
}

/** What a manager authorised, and what people call it there. */
interface NamedTokens extends BindTokens {
  readonly name?: string | undefined;
}

/** A tunnel of the config with its secret, 64 hex characters. */
export interface StaticTunnel {
  readonly id: TunnelId;
  /** What people call it. */
  readonly name?: string | undefined;
  readonly bindSecret: string;
}

export interface BindCredentials {
  readonly tunnelId: TunnelId;
  readonly direction: Direction;
  readonly token: string | undefined;
  readonly proof: string | undefined;
  /** What this connection was challenged with. */
  readonly challenge: string;
}

export type BindVerdict =
  | { readonly kind: 'authorized' }
  /** Nothing is known of the tunnel and the relay is permissive. */
  | { readonly kind: 'open' }
  | { readonly kind: 'refused'; readonly reason: BindRefusal };

export type AuthorizeResult = 'unchanged' | 'changed' | 'limit-reached';

/** The state that survives a restart (conformance I5). Holds secrets: it goes to a 0600 file and nowhere else. */
export interface PolicyState {
  readonly authorized: readonly (NamedTokens & { readonly tunnelId: TunnelId })[];
  readonly revoked: readonly TunnelId[];
}

export interface AuthorizedTunnel {
  readonly tunnelId: TunnelId;
  readonly source: 'config' | 'manager';
  /** Differs for two pairs of tokens, and cannot be used for binding. */
  readonly digest: string;
}

/**
 * Decides which edge may bind which tunnel (docs/protocol/tunnel.md §5). The manager's tokens and revocations override
 * the config's static tunnels. A revoked tunnel stays refused, also in permissive mode, until it is authorised again or
 * unrevoked.
 */
export class BindPolicy {
  readonly #static = new Map<TunnelId, BindTokens>();
  readonly #names = new Map<TunnelId, string>();
  readonly #authorized = new Map<TunnelId, NamedTokens>();
  readonly #revoked = new Set<TunnelId>();
  readonly #settings: BindPolicySettings;

  constructor(settings: BindPolicySettings) {
    this.#settings = settings;
  }

  /** Replaces the config's tunnels. Returns the ids of those that were added, removed or got another secret. */
  setStaticTunnels(tunnels: readonly StaticTunnel[]): ReadonlySet<TunnelId> {
    const before = new Map(this.#static);
    this.#static.clear();
    this.#names.clear();
    for (const { id, name, bindSecret } of tunnels) {
      if (name !== undefined) this.#names.set(id, name);
      this.#static.set(id, {
        ingress: computeBindToken(bindSecret, id, 'ingress'),
        egress: computeBindToken(bindSecret, id, 'egress'),
      });
    }
    const ids = new Set([...before.keys(), ...this.#static.keys()]);
    return new Set([...ids].filter((id) => !sameTokens(before.get(id), this.#static.get(id))));
  }

  /** Stores or overwrites the manager's tokens and name, and lifts a revocation. */
  authorize(tunnelId: TunnelId, tokens: BindTokens, name?: string): AuthorizeResult {
    const known = this.#authorized.has(tunnelId);
    if (!known && this.#authorized.size >= this.#settings.maxAuthorizations) return 'limit-reached';
    const changed = this.#revoked.has(tunnelId) || !sameTokens(this.#tokensFor(tunnelId), tokens);
    this.#revoked.delete(tunnelId);
    this.#authorized.set(tunnelId, { ingress: tokens.ingress, egress: tokens.egress, name });
    return changed ? 'changed' : 'unchanged';
  }

  /**
   * Forgets the manager's tokens and refuses the tunnel from now on. Always succeeds. If there are too many, gives up
   * the oldest revocation; returns its tunnel if that can be bound now.
   */
  revoke(tunnelId: TunnelId): TunnelId | null {
    this.#authorized.delete(tunnelId);
    this.#revoked.delete(tunnelId);
    this.#revoked.add(tunnelId);
    if (this.#revoked.size <= this.#settings.maxAuthorizations) return null;
    const harmless = this.#oldestRevoked((id) => this.#settings.requireBindAuth && !this.#static.has(id));
    const given = harmless ?? this.#oldestRevoked(() => true);
    if (given !== null) this.#revoked.delete(given);
    return harmless === null ? given : null;
  }

  /** Lifts a revocation without authorising anything new; false when there was none. */
  unrevoke(tunnelId: TunnelId): boolean {
    return this.#revoked.delete(tunnelId);
  }

  /** What the config calls a tunnel, else what the manager does; null where neither has a name for it. */
  nameOf(tunnelId: TunnelId): string | null {
    return this.#names.get(tunnelId) ?? this.#authorized.get(tunnelId)?.name ?? null;
  }

  isRevoked(tunnelId: TunnelId): boolean {
    return this.#revoked.has(tunnelId);
  }

  check(credentials: BindCredentials): BindVerdict {
    const { tunnelId, direction, token, proof, challenge } = credentials;
    if (this.#revoked.has(tunnelId)) return { kind: 'refused', reason: 'revoked' };
    const expected = this.#tokensFor(tunnelId)?.[direction];
    if (expected === undefined) {
      return this.#settings.requireBindAuth ? { kind: 'refused', reason: 'not-authorised' } : { kind: 'open' };
    }
    if (proof !== undefined) return verdict(proof, computeBindProof(expected, challenge, tunnelId, direction));
    if (this.#settings.requireBindProof) return { kind: 'refused', reason: 'proof-required' };
    return verdict(token ?? '', expected);
  }

  /**
   * Digest of the token that a leg must present now; null if none is known. If it differs from the digest stored with a
   * leg, that leg is no longer authorised. Not secret, not for display.
   */
  credentialOf(tunnelId: TunnelId, direction: Direction): string | null {
    const tokens = this.#tokensFor(tunnelId);
    return tokens === undefined ? null : bindTokensDigest(direction, tokens[direction]);
  }

  /** Whether a leg with the right credential may bind it. */
  isAuthorized(tunnelId: TunnelId): boolean {
    return this.#tokensFor(tunnelId) !== undefined && !this.#revoked.has(tunnelId);
  }

  authorizedTunnels(): AuthorizedTunnel[] {
    const ids = new Set([...this.#static.keys(), ...this.#authorized.keys()]);
    const listed: AuthorizedTunnel[] = [];
    for (const tunnelId of ids) {
      const tokens = this.#tokensFor(tunnelId);
      if (tokens === undefined || this.#revoked.has(tunnelId)) continue;
      const source = this.#authorized.has(tunnelId) ? 'manager' : 'config';
      listed.push({ tunnelId, source, digest: bindTokensDigest(tokens.ingress, tokens.egress) });
    }
    return listed;
  }

  state(): PolicyState {
    const authorized = [...this.#authorized].map(([tunnelId, tokens]) => ({ tunnelId, ...tokens }));
    return { authorized, revoked: [...this.#revoked] };
  }

  /** Replaces all dynamic state by what `state()` gave before. */
  restore(state: PolicyState): void {
    this.#authorized.clear();
    this.#revoked.clear();
    for (const { tunnelId, ...tokens } of state.authorized) this.#authorized.set(tunnelId, tokens);
    for (const tunnelId of state.revoked) this.#revoked.add(tunnelId);
  }

  /** The last revoked tunnel is the one most likely to be tried now, so the oldest goes. */
  #oldestRevoked(suits: (tunnelId: TunnelId) => boolean): TunnelId | null {
    for (const tunnelId of this.#revoked) if (suits(tunnelId)) return tunnelId;
    return null;
  }

  #tokensFor(tunnelId: TunnelId): BindTokens | undefined {
    return this.#authorized.get(tunnelId) ?? this.#static.get(tunnelId);
  }
}

function verdict(given: string, expected: string): BindVerdict {
  return secretsEqual(given, expected) ? { kind: 'authorized' } : { kind: 'refused', reason: 'invalid-token' };
}

function sameTokens(a: BindTokens | undefined, b: BindTokens | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return secretsEqual(a.ingress, b.ingress) && secretsEqual(a.egress, b.egress);
}
