import type { Actor } from '../fleet.ts';
import { FleetError } from '../fleet-error.ts';
import { maxSecrets } from '../hub/authenticator.ts';
import { hashSecret, newSecret } from '../secrets/node-secret.ts';
import type { NodeSecretRow } from '../store/schema.ts';
import type { FleetCore } from './fleet-core.ts';

/**
 * A new secret for a node. It is stored before it is sent, and every stored one is accepted. So the node can connect
 * again after any loss on the way, and after a crash at either end.
 */
export class SecretRotation {
  readonly #core: FleetCore;

  constructor(core: FleetCore) {
    this.#core = core;
  }

  async rotate(
    id: string,
    revokePrevious: boolean,
    actor: Actor,
  ): Promise<{ outcome: 'acknowledged' | 'unconfirmed' }> {
    const { store, random } = this.#core.dependencies;
    const node = await this.#core.node(id);
    if ((await store.secrets.of(id)).length >= maxSecrets) {
      throw new FleetError('too_many_secrets', `Node ${node.name} has ${maxSecrets} secrets; it must use one first`);
    }
    if (!(await this.#isOnline(id))) throw new FleetError('node_offline', `Node ${node.name} is not connected`);
    const secret = newSecret(random);
    const row: NodeSecretRow = {
      id: this.#core.newId(),
      node_id: id,
      hash: hashSecret(secret),
      state: 'issued',
      created_at: this.#core.now(),
      acknowledged_at: null,
      first_used_at: null,
    };
    await this.#core.change(actor, 'node.rotate-secret', id, async (inside) => {
      await inside.secrets.insert(row);
      return { result: null, after: { revoke_previous: revokePrevious } };
    });
    const result = await this.#core.command(id, { type: 'rotate_secret', new_secret: secret });
    if (result.kind === 'refused')
      throw new FleetError('node_refused', result.error, { nodeErrorCode: result.errorCode });
    if (result.kind !== 'done') return { outcome: 'unconfirmed' };
    await store.secrets.setState(row.id, 'acknowledged', this.#core.now());
    if (revokePrevious) await store.secrets.removeOlder(row);
    this.#core.dependencies.feed.node(id);
    return { outcome: 'acknowledged' };
  }

  async #isOnline(id: string): Promise<boolean> {
    const { roster, store, leaseMs, instanceId } = this.#core.dependencies;
    return roster.get(id) !== null || (await store.sessions.live(leaseMs, instanceId(), [id])).length > 0;
  }
}
