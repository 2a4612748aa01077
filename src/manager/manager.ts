import type { Timer } from '../lib/clock.ts';
import { collectGarbage } from '../lib/collect-garbage.ts';
import type { ManagerConfig } from './config/manager-config.ts';
import type { ManagerHealth } from './extension-points.ts';
import type { Fleet } from './fleet.ts';
import { HandshakeGarbage } from './hub/handshake-garbage.ts';
import type { InstanceFacts } from './instances/instance-lease.ts';
import { ManagerParts, type ManagerDependencies } from './manager-parts.ts';

/** How long a stop waits for events that are not stored yet. */
const stopFlushMs = 5_000;
const secondMs = 1_000;

/** One instance without its port. Start and stop order is here. */
export class Manager implements ManagerHealth {
  readonly parts: ManagerParts;
  readonly #dependencies: ManagerDependencies;
  readonly #garbage: HandshakeGarbage;
  #seconds: Timer | null = null;
  #stopping = false;

  constructor(config: ManagerConfig, dependencies: ManagerDependencies, facts: InstanceFacts) {
    this.#dependencies = dependencies;
    this.parts = new ManagerParts(config, dependencies, facts);
    this.#garbage = new HandshakeGarbage(dependencies.clock, collectGarbage);
  }

  get fleet(): Fleet {
    return this.parts.running.fleet;
  }

  /** Nodes may connect once this has resolved. */
  async start(): Promise<void> {
    const { clock, database } = this.#dependencies;
    const { lease, reconciler, hub, upkeep, remote, roster, feed } = this.parts;
    await lease.start(database.engine === 'sqlite');
    reconciler.start();
    roster.listen({
      joined: ({ id }) => {
        feed.node(id);
        this.#garbage.joined();
      },
      released: ({ id }) => feed.node(id),
      statsReceived: ({ id }) => feed.stats(id),
      secretConfirmed: ({ id }) => feed.node(id),
    });
    hub.start();
    upkeep.start();
    await remote.start(database);
    this.#seconds = clock.setInterval(() => {
      this.#closeExpired();
      this.#garbage.tick();
    }, secondMs);
  }

  get isStopping(): boolean {
    return this.#stopping;
  }

  notReady(): readonly string[] {
    const { inbox, lease } = this.parts;
    return [
      ...(this.#stopping ? ['the manager is stopping'] : []),
      ...(inbox.isHealthy ? [] : ['events cannot be stored']),
      ...(lease.isFenced ? ['the database does not answer'] : []),
    ];
  }

  /** Nodes are sent elsewhere; what they sent is stored. The database is the caller's to close. */
  async stop(): Promise<void> {
    const { lease, reconciler, hub, upkeep, remote, roster, inbox } = this.parts;
    this.#stopping = true;
    this.#seconds?.cancel();
    hub.stop();
    upkeep.stop();
    await roster.stop();
    await reconciler.stop();
    await remote.stop();
    await inbox.stop(stopFlushMs);
    await lease.stop();
  }

  /** Nodes that expire while they are connected. */
  #closeExpired(): void {
    const now = this.#dependencies.clock.now();
    for (const { id, expiresAt } of this.parts.roster.nodes) {
      if (expiresAt !== null && expiresAt <= now) this.parts.roster.drop(id, 4001, 'Node has expired');
    }
  }
}
