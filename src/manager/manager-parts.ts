import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import { CommandDesk } from './commands/command-desk.ts';
import { RemoteDesk } from './commands/remote-desk.ts';
import type { ManagerConfig } from './config/manager-config.ts';
import { EventInbox } from './events/event-inbox.ts';
import { OwnEvents } from './events/own-events.ts';
import { createFleet, type RunningFleet } from './fleet/create-fleet.ts';
import { FleetFeed } from './fleet/fleet-feed.ts';
import { AuthLimiter } from './hub/auth-limiter.ts';
import { Authenticator } from './hub/authenticator.ts';
import { HubAdmission } from './hub/hub-admission.ts';
import { NodeHub } from './hub/node-hub.ts';
import { NodeRoster } from './hub/node-roster.ts';
import { InstanceLease, leaseMs, type InstanceFacts } from './instances/instance-lease.ts';
import { isPeerReady } from './instances/peer-ready.ts';
import { DriftKeeper } from './reconciler/drift-keeper.ts';
import { LegReader } from './reconciler/leg-reader.ts';
import { Reconciler } from './reconciler/reconciler.ts';
import type { Sealing } from './secrets/sealing.ts';
import { createStore } from './store/create-store.ts';
import { databaseBytes } from './store/integrity.ts';
import type { OpenDatabase } from './store/open-database.ts';
import type { Store } from './store/store.ts';
import { Upkeep } from './upkeep.ts';

export interface ManagerDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly database: OpenDatabase;
  readonly sealing: Sealing;
}

/** The parts of one instance. Each is built from those above it; what points back is a function. */
export class ManagerParts {
  readonly store: Store;
  readonly feed: FleetFeed;
  readonly events: OwnEvents;
  readonly inbox: EventInbox;
  readonly lease: InstanceLease;
  readonly roster: NodeRoster;
  readonly desk: CommandDesk;
  readonly admission: HubAdmission;
  readonly hub: NodeHub;
  readonly remote: RemoteDesk;
  readonly reconciler: Reconciler;
  readonly running: RunningFleet;
  readonly upkeep: Upkeep;
  /** Pushes by how they ended. */
  readonly pushes = new Map<string, number>();
  readonly #config: ManagerConfig;
  readonly #dependencies: ManagerDependencies;

  constructor(config: ManagerConfig, dependencies: ManagerDependencies, facts: InstanceFacts) {
    this.#config = config;
    this.#dependencies = dependencies;
    const { clock, logger, database, sealing } = dependencies;
    this.store = createStore(database);
    this.feed = new FleetFeed(clock, (kind, id) => this.remote.changed(kind, id));
    this.events = new OwnEvents(clock, (event) => this.inbox.put(event), this.#instanceId);
    this.inbox = this.#createInbox();
    this.lease = this.#createLease(facts);
    this.roster = this.#createRoster();
    this.desk = new CommandDesk(clock, {
      perEdge: config.limits.commands_per_edge,
      perRelay: config.limits.commands_per_relay,
      total: config.limits.commands,
    });
    this.admission = this.#createAdmission();
    this.hub = this.#createHub();
    this.remote = new RemoteDesk(
      { clock, logger, store: this.store, sealing, desk: this.desk, roster: this.roster },
      {
        instanceId: this.#instanceId,
        onChanged: (ids) => void this.reconciler.look(ids),
        onRecorded: (ids) => this.reconciler.release(ids),
        onOrder: (id, order) => this.reconciler.carryOut(id, order),
        onShown: (kind, id) => this.feed.elsewhere(kind, id),
        onNoticesLost: () => this.feed.everything(),
      },
    );
    this.reconciler = this.#createReconciler();
    this.running = this.#createFleet();
    const sizeOf = (): Promise<number> => databaseBytes(database);
    this.upkeep = new Upkeep({ clock, logger, store: this.store, databaseBytes: sizeOf }, config);
  }

  readonly #instanceId = (): string => this.lease.id;

  #createInbox(): EventInbox {
    const { clock, logger } = this.#dependencies;
    return new EventInbox({
      clock,
      logger,
      store: this.store.events,
      onStored: (rows) => this.feed.events(rows),
      onCommitted: (ids) => this.roster.committed(ids),
    });
  }

  #createLease(facts: InstanceFacts): InstanceLease {
    const { clock, logger } = this.#dependencies;
    return new InstanceLease(
      {
        clock,
        logger,
        store: this.store,
        events: () => this.events,
        onFenced: (fenced) => this.reconciler.fence(fenced),
        onHeld: (sessions, atMs) => this.roster.keepOnly(sessions, atMs),
        onReaped: (ids) => ids.forEach((id) => this.feed.node(id)),
        onCutOff: (cutOff) => this.hub.turnAway(cutOff),
        isReady: isPeerReady,
      },
      facts,
    );
  }

  #createRoster(): NodeRoster {
    const { clock, logger } = this.#dependencies;
    const { store, inbox, events } = this;
    return new NodeRoster(
      { clock, logger, store, inbox, events, instanceId: this.#instanceId },
      this.#config.limits.uncommitted_events,
    );
  }

  #createAdmission(): HubAdmission {
    const { clock, logger, random } = this.#dependencies;
    const { store, roster, events } = this;
    const limiter = new AuthLimiter(clock);
    const isOnline = async (id: string): Promise<boolean> => (await this.#onlineNodes([id])).has(id);
    const authenticator = new Authenticator({ store, clock, random, limiter }, isOnline);
    return new HubAdmission({ clock, logger, store, authenticator, roster, events, instanceId: this.#instanceId });
  }

  #createHub(): NodeHub {
    const { clock, logger } = this.#dependencies;
    const { limits, behind_proxy: trustedHops } = this.#config;
    return new NodeHub(
      { clock, logger, admission: this.admission, roster: this.roster },
      {
        maxUnauthenticated: limits.unauthenticated_sockets,
        maxUnauthenticatedPerAddress: limits.unauthenticated_per_address,
        maxBufferedBytes: limits.socket_buffer_bytes,
        trustedHops,
      },
    );
  }

  #createReconciler(): Reconciler {
    const { clock, logger, sealing } = this.#dependencies;
    const { store, desk, events, roster, feed } = this;
    const { settle_secs, retry_secs, ghost_after_secs, limits } = this.#config;
    return new Reconciler(
      {
        ...{ clock, logger, store, desk, events, roster },
        reader: new LegReader({ store, sealing, logger }, (ids) => this.#onlineNodes(ids)),
        drift: new DriftKeeper(store.drift, clock, (nodeId) => feed.drift(nodeId)),
        legsRecorded: (legs) => feed.recorded(legs),
        removeGhost: (leg, nodeId) => this.running.removeGhost(leg, nodeId),
        countPush: (result) => this.pushes.set(result, (this.pushes.get(result) ?? 0) + 1),
        changedElsewhere: (ids) => this.remote.legsChanged(ids),
        recordedHere: (ids) => this.remote.legsRecorded(ids),
      },
      {
        settleMs: settle_secs * 1000,
        retryMs: retry_secs * 1000,
        ghostAfterMs: ghost_after_secs * 1000,
        maxInFlight: { edge: limits.commands_per_edge, relay: limits.commands_per_relay },
      },
    );
  }

  #createFleet(): RunningFleet {
    const { clock, random, logger, sealing } = this.#dependencies;
    const { store, events, feed, roster, desk, reconciler, remote } = this;
    const { limits, offline_grace_secs: graceSecs } = this.#config;
    return createFleet(
      {
        ...{ clock, random, logger, store, sealing, events, feed, roster, desk, reconciler, remote, leaseMs },
        instanceId: this.#instanceId,
      },
      { nodes: limits.nodes, legs: limits.legs, offlineGraceMs: graceSecs * 1000 },
    );
  }

  async #onlineNodes(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const sessions = await this.store.sessions.live(leaseMs, this.lease.id, ids);
    return new Set(sessions.map(({ node_id: id }) => id));
  }
}
