import type { FastifyInstance } from 'fastify';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import type { ManagerConfig } from './config/manager-config.ts';
import type { Fleet } from './fleet.ts';
import type { UpgradeHandler } from './https-server.ts';
import type { Sealing } from './secrets/sealing.ts';
import type { OpenDatabase } from './store/open-database.ts';
import type { Store } from './store/store.ts';

/** What REST, page and live feed are given. */
export interface ApiContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly softwareVersion: string;
  readonly config: ManagerConfig;
  readonly database: OpenDatabase;
  readonly store: Store;
  readonly sealing: Sealing;
  readonly fleet: Fleet;
  readonly health: ManagerHealth;
  /** The metrics of hub, reconciler and database as Prometheus text. */
  readonly metrics: () => Promise<string>;
  /** SHA-256 of the certificate, 64 hex digits: `cert_fingerprint` in a node's config. */
  readonly certificateFingerprint: string;
}

export interface ManagerHealth {
  /** Why it should get no new work now; empty when ready. */
  notReady(): readonly string[];
}

/** What the API adds to the server that the manager owns. */
export interface ApiExtension {
  /** WebSocket paths beside `/ws/node`. */
  readonly upgrades: ReadonlyMap<string, UpgradeHandler>;
  /**
   * Path of the one-time link by which the first administrator signs up, with its secret behind `#`; null when there is
   * a user. It is for the terminal, never for the log.
   */
  readonly firstAdmin: string | null;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Registers routes before the server listens, and starts what belongs to them. */
export type RegisterApi = (app: FastifyInstance, context: ApiContext) => Promise<ApiExtension>;
