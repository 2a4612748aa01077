import type { Logger } from '../lib/logger.ts';
import { closeReason } from '../protocol/tunnel/close-code.ts';
import type { TunnelId } from '../protocol/tunnel/tunnel-id.ts';
import type { AuthorizationStore } from './authorization-store.ts';
import type { SessionDirectory } from './session/session-directory.ts';
import type { Switchboard } from './session/switchboard.ts';
import type { AuthorizeResult, BindPolicy, BindTokens, StaticTunnel } from './tunnels/bind-policy.ts';

export interface TunnelControlDependencies {
  readonly policy: BindPolicy;
  readonly store: AuthorizationStore;
  readonly switchboard: Switchboard;
  readonly sessions: SessionDirectory;
  readonly logger: Logger;
}

/**
 * What a manager, REST and the command line may do to a running relay (docs/protocol/manager.md §4). Each takes effect
 * on live legs at once, before it is on disk. A promise resolves when it is stored. It rejects with AppError
 * `io-failed` if storing failed; the effect stays.
 */
export class TunnelControl {
  readonly #dependencies: TunnelControlDependencies;

  constructor(dependencies: TunnelControlDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Stores or overwrites the tokens of a tunnel, and its name; legs that were bound with others are cut. Identical ones
   * disturb nothing.
   */
  async authorize(tunnelId: TunnelId, tokens: BindTokens, name?: string): Promise<AuthorizeResult> {
    const { policy, switchboard } = this.#dependencies;
    const result = policy.authorize(tunnelId, tokens, name);
    if (result === 'limit-reached') return result;
    switchboard.authorizationChanged(tunnelId);
    await this.#save();
    return result;
  }

  /** Refuses the tunnel from now on, also in permissive mode, and cuts its legs. */
  async revoke(tunnelId: TunnelId): Promise<void> {
    const reopened = this.#dependencies.policy.revoke(tunnelId);
    if (reopened !== null) {
      const advice = 'raise limits.max_authorizations, or take the tunnel out of the config';
      this.#dependencies.logger.warn({ tunnel_id: reopened, advice }, 'too many revocations: the oldest was given up');
    }
    this.#dependencies.switchboard.authorizationChanged(tunnelId);
    await this.#save();
  }

  /** Lifts a revocation; false when there was none. */
  async unrevoke(tunnelId: TunnelId): Promise<boolean> {
    if (!this.#dependencies.policy.unrevoke(tunnelId)) return false;
    await this.#save();
    return true;
  }

  /** The tunnels of a config that was read again; legs whose secret has changed are cut. */
  setStaticTunnels(tunnels: readonly StaticTunnel[]): void {
    const changed = this.#dependencies.policy.setStaticTunnels(tunnels);
    for (const tunnelId of changed) this.#dependencies.switchboard.authorizationChanged(tunnelId);
  }

  /** Takes both legs away; their edges may bind again. False when no edge holds one. */
  closeTunnel(tunnelId: TunnelId): boolean {
    return this.#dependencies.switchboard.endTunnel(tunnelId, 'closed by manager') > 0;
  }

  /**
   * Takes both legs away and revokes the tunnel: an edge that comes back is refused. Resolves to the number of legs
   * that there were; null for a tunnel that nobody holds and nobody authorised.
   */
  async deleteTunnel(tunnelId: TunnelId): Promise<number | null> {
    const legs = this.#dependencies.switchboard.endTunnel(tunnelId, 'deleted by REST');
    if (legs === 0 && !this.#dependencies.policy.isAuthorized(tunnelId)) return null;
    await this.revoke(tunnelId);
    return legs;
  }

  /** Closes the connections of the edges with this id or label; the number of them. */
  disconnectEdge(name: string): number {
    const sessions = this.#dependencies.sessions.named(name);
    for (const session of sessions) session.close(closeReason.disconnectedByManager);
    return sessions.length;
  }

  #save(): Promise<void> {
    return this.#dependencies.store.save(() => this.#dependencies.policy.state());
  }
}
