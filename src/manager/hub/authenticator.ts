import { randomUUID } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { findSecret, hashSecret, newSecret } from '../secrets/node-secret.ts';
import type { NodeRow, NodeSecretRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { AuthLimiter } from './auth-limiter.ts';
import type { AuthRequest } from './node-frame.ts';

export type AuthOutcome =
  | {
      readonly kind: 'accepted';
      readonly node: NodeRow;
      readonly registered: { readonly node_id: string; readonly node_secret: string } | null;
      /** The row of the secret that it just got; null for one that came with its secret. */
      readonly issuedSecretId: string | null;
      /** The token had made a secret before. */
      readonly tokenUsedAgain: boolean;
    }
  | { readonly kind: 'refused'; readonly reason: string; readonly nodeId: string | null };

/** Secrets that one node may have at once. */
export const maxSecrets = 8;

const lockedOut = 'Too many failed authentication attempts. Locked out for 60 seconds.';
const tooMany = 'Too many failed attempts. Try again later.';
const invalidToken = 'Invalid registration token';

/** Checks the identity of a node. Rejects when the database is away: no node is refused for that. */
export class Authenticator {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limiter: AuthLimiter;
  readonly #isOnline: (nodeId: string) => Promise<boolean>;

  /** `isOnline`: a socket of that node is up, on any instance. */
  constructor(
    { store, clock, random, limiter }: { store: Store; clock: Clock; random: Random; limiter: AuthLimiter },
    isOnline: (nodeId: string) => Promise<boolean>,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.#limiter = limiter;
    this.#isOnline = isOnline;
  }

  authenticate({ credentials }: AuthRequest, address: string): Promise<AuthOutcome> {
    return credentials.kind === 'token'
      ? this.#register(credentials.token, address)
      : this.#identify(credentials.nodeId, credentials.secret, address);
  }

  /** Repeatable until the node has used its secret once, so that a lost reply locks no node out. */
  async #register(token: string, address: string): Promise<AuthOutcome> {
    if (this.#limiter.isLocked(null, address)) return refused(tooMany);
    const node = await this.#store.nodes.byRegistration(hashSecret(token));
    const now = this.#clock.now();
    const usable = node !== null && (node.registration_expires_at ?? 0) > now;
    if (!usable || (await this.#isOnline(node.id))) {
      this.#limiter.failed(null, address);
      return refused(invalidToken, node?.id);
    }
    const problem = closedTo(node, now);
    if (problem !== null) return refused(problem, node.id);
    const secret = newSecret(this.#random);
    const issuedSecretId = await this.#keep(node.id, secret, now);
    const tokenUsedAgain = node.registration_used_at !== null;
    if (!tokenUsedAgain) await this.#store.nodes.change(node.id, { registration_used_at: now });
    const registered = { node_id: node.id, node_secret: secret };
    return { kind: 'accepted', node, registered, issuedSecretId, tokenUsedAgain };
  }

  /** Returns the id of its row. */
  async #keep(nodeId: string, secret: string, now: number): Promise<string> {
    const row: NodeSecretRow = {
      id: randomUUID(),
      node_id: nodeId,
      hash: hashSecret(secret),
      state: 'issued',
      created_at: now,
      acknowledged_at: null,
      first_used_at: null,
    };
    const known = await this.#store.secrets.of(nodeId);
    await this.#store.secrets.insert(row);
    const surplus = known.at(-maxSecrets);
    if (surplus !== undefined) await this.#store.secrets.removeOlder(known[known.length - maxSecrets + 1] ?? surplus);
    return row.id;
  }

  async #identify(nodeId: string, secret: string, address: string): Promise<AuthOutcome> {
    if (this.#limiter.isLocked(nodeId, address)) return refused(lockedOut, nodeId);
    const [node, secrets] = await Promise.all([this.#store.nodes.get(nodeId), this.#store.secrets.of(nodeId)]);
    const used = findSecret(secret, secrets);
    if (node === null || used === null) {
      this.#limiter.failed(nodeId, address);
      return refused(node === null ? 'Node not registered' : 'Invalid node secret', nodeId);
    }
    const now = this.#clock.now();
    const problem = closedTo(node, now);
    if (problem !== null) return refused(problem, nodeId);
    this.#limiter.succeeded(nodeId, address);
    if (used.state !== 'in_use') await this.#firstUse(node, used, now);
    return { kind: 'accepted', node, registered: null, issuedSecretId: null, tokenUsedAgain: false };
  }

  /**
   * What is older than the secret that the node uses now is worth nothing any more; neither is the token that made it.
   */
  async #firstUse(node: NodeRow, used: NodeSecretRow, now: number): Promise<void> {
    await this.#store.secrets.setState(used.id, 'in_use', now);
    await this.#store.secrets.removeOlder(used);
    const ofToken = node.registration_used_at !== null && used.created_at >= node.registration_used_at;
    if (node.registration_hash !== null && ofToken) {
      await this.#store.nodes.change(node.id, { registration_hash: null, registration_expires_at: null });
    }
  }
}

/** Why a node is refused although it has proved its identity. */
function closedTo(node: NodeRow, now: number): string | null {
  if (node.disabled_at !== null) return 'Node is disabled';
  return node.expires_at !== null && node.expires_at <= now ? 'Node has expired' : null;
}

function refused(reason: string, nodeId: string | null = null): AuthOutcome {
  return { kind: 'refused', reason, nodeId };
}
