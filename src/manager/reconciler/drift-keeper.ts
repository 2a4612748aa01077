import { randomUUID } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import type { Difference, OpenDrift } from '../reconcile/plan-types.ts';
import type { DriftResource } from '../store/schema.ts';
import type { DriftStore } from '../store/store.ts';

/** Keeps the differences of nodes. */
export class DriftKeeper {
  readonly #store: DriftStore;
  readonly #clock: Clock;
  readonly #onChange: (nodeId: string) => void;

  constructor(store: DriftStore, clock: Clock, onChange: (nodeId: string) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  async open(nodeId: string): Promise<OpenDrift[]> {
    const rows = await this.#store.openOf(nodeId);
    return rows.map((row) => ({
      resource: row.resource,
      resourceId: row.resource_id,
      fingerprint: row.fingerprint,
      mutedFingerprint: row.muted_fingerprint,
    }));
  }

  /** A new difference, or another one of the same resource. */
  async put(nodeId: string, difference: Difference): Promise<void> {
    const { kind, resource, resourceId, name, fingerprint } = difference;
    const now = this.#clock.now();
    const fields = JSON.stringify(difference.fields);
    const known = await this.#find(nodeId, resource, resourceId);
    if (known === undefined) {
      await this.#store.insert({
        id: randomUUID(),
        node_id: nodeId,
        kind,
        resource,
        resource_id: resourceId,
        name,
        fields,
        fingerprint,
        first_seen_at: now,
        last_seen_at: now,
        muted_fingerprint: null,
        resolved_at: null,
        resolution: null,
      });
    } else {
      await this.#store.change(known.id, { kind, name, fields, fingerprint, last_seen_at: now });
    }
    this.#onChange(nodeId);
  }

  async close(nodeId: string, resource: DriftResource, resourceId: string): Promise<void> {
    const known = await this.#find(nodeId, resource, resourceId);
    if (known === undefined) return;
    await this.#store.change(known.id, { resolved_at: this.#clock.now(), resolution: 'gone' });
    this.#onChange(nodeId);
  }

  async #find(nodeId: string, resource: DriftResource, resourceId: string) {
    const open = await this.#store.openOf(nodeId);
    return open.find((row) => row.resource === resource && row.resource_id === resourceId);
  }
}
