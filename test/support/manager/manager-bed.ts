import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock, type Clock } from '../../../src/lib/clock.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { registerApi } from '../../../src/manager/api/register-api.ts';
import { parseManagerConfig } from '../../../src/manager/config/manager-config.ts';
import type { RegisterApi } from '../../../src/manager/extension-points.ts';
import type { Actor, Fleet } from '../../../src/manager/fleet.ts';
import { startManagerProgram, type ManagerProgram } from '../../../src/manager/manager-program.ts';
import type { AuditRow } from '../../../src/manager/store/access-schema.ts';
import { createAccessStore } from '../../../src/manager/store/create-access-store.ts';
import type { OpenDatabase } from '../../../src/manager/store/open-database.ts';
import type { EventRow, NodeKind } from '../../../src/manager/store/schema.ts';
import { RecordingLogger } from '../fakes/recording-logger.ts';
import { until } from '../until.ts';
import { SimNode } from './sim-node.ts';

export const admin: Actor = { name: 'test', kind: 'user', role: 'admin', ip: null };

/** Short times, so that tests over real time need no patience. */
const hasty = { settle_secs: 1, retry_secs: 1, offline_grace_secs: 1 };

const noApi: RegisterApi = () =>
  Promise.resolve({ upgrades: new Map(), firstAdmin: null, stop: () => Promise.resolve() });

export interface ManagerBedOptions {
  /** Further keys of manager.json. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly databaseUrl?: string;
  /** Kept by the caller, as for a restart. */
  readonly directory?: string;
  readonly clock?: Clock;
  /** 64 hex digits, for several on one database. */
  readonly masterKey?: string;
  /** With REST and page. */
  readonly hasPage?: boolean;
}

/** A whole manager with a port of its own. */
export class ManagerBed implements AsyncDisposable {
  readonly program: ManagerProgram;
  readonly log: RecordingLogger;
  readonly directory: string;
  readonly #database: OpenDatabase;
  readonly #ownsDirectory: boolean;
  #stopped = false;

  private constructor(
    parts: Pick<ManagerBed, 'program' | 'log' | 'directory'>,
    database: OpenDatabase,
    ownsDirectory: boolean,
  ) {
    this.program = parts.program;
    this.log = parts.log;
    this.directory = parts.directory;
    this.#database = database;
    this.#ownsDirectory = ownsDirectory;
  }

  static async start(options: ManagerBedOptions = {}): Promise<ManagerBed> {
    const { config, databaseUrl, directory, clock = new SystemClock(), masterKey, hasPage = false } = options;
    const folder = directory ?? (await mkdtemp(join(tmpdir(), 'adit-manager-')));
    const content = {
      ...hasty,
      listen: ['127.0.0.1:0'],
      ...(databaseUrl !== undefined && { database: { url: databaseUrl } }),
      ...config,
    };
    if (masterKey !== undefined) {
      await mkdir(join(folder, 'state'), { recursive: true });
      await writeFile(join(folder, 'state', 'master.key'), masterKey);
    }
    const parsed = parseManagerConfig(content, folder);
    if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
    const log = new RecordingLogger();
    const opened = Promise.withResolvers<OpenDatabase>();
    const register: RegisterApi = (app, context) => {
      opened.resolve(context.database);
      return (hasPage ? registerApi : noApi)(app, context);
    };
    const program = await startManagerProgram(
      { config: parsed.config, registerApi: register, forgetSealed: false },
      { clock, random: new SystemRandom(), logger: log, softwareVersion: '0.0.0-test' },
    );
    return new ManagerBed({ program, log, directory: folder }, await opened.promise, directory === undefined);
  }

  get fleet(): Fleet {
    return this.program.manager.fleet;
  }

  /** Of its page and REST API. */
  get origin(): string {
    return this.url.replace('wss:', 'https:');
  }

  get url(): string {
    return `wss://127.0.0.1:${this.program.addresses[0]?.port ?? 0}`;
  }

  /** The `manager` object of a node's config that trusts exactly this manager. */
  configFor(identity: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const pinned = { accept_self_signed_cert: true, cert_fingerprint: this.program.certificateFingerprint };
    return { enabled: true, url: `${this.url}/ws/node`, ...pinned, ...identity };
  }

  /** A node that may register: its id and token. */
  async add(name: string, kind: NodeKind = 'edge'): Promise<{ readonly id: string; readonly token: string }> {
    const { node, registration_token: token } = await this.fleet.nodes.create({ name, kind }, admin);
    return { id: node.id, token };
  }

  /** A simulated node that has registered and connected again with its secret. */
  async join(name: string, kind: NodeKind = 'edge', setup?: (node: SimNode) => void): Promise<JoinedNode> {
    const { id, token } = await this.add(name, kind);
    const first = await SimNode.dial(this.url);
    const ack = await first.authenticate({ registration_token: token });
    const { node_secret: secret } = ack.payload as { node_secret: string };
    await first[Symbol.asyncDispose]();
    await until(async () => (await this.fleet.nodes.get(id)).state !== 'online');
    const credentials = { node_id: id, node_secret: secret };
    return { id, credentials, token, node: await SimNode.connect(this.url, credentials, setup) };
  }

  events(nodeId?: string): Promise<readonly EventRow[]> {
    return this.fleet.events.page({ limit: 500, ...(nodeId !== undefined && { nodeId }) });
  }

  /** The newest 500 rows. */
  auditTrail(): Promise<readonly AuditRow[]> {
    return createAccessStore(this.#database).trail.page({ limit: 500, after: null });
  }

  /** Oldest first, once there are so many of this category. */
  async eventsOf(category: string, nodeId?: string, count = 1): Promise<readonly EventRow[]> {
    return until(
      async () => {
        const found = (await this.events(nodeId)).filter((event) => event.category === category).toReversed();
        return found.length >= count ? found : null;
      },
      { what: `${count} events ${category}` },
    );
  }

  /** Waits until the node was compared and nothing is under way. */
  async steady(id: string): Promise<void> {
    await until(() => this.program.manager.parts.reconciler.phaseOf(id) === 'steady', {
      what: `node steady; it is ${this.program.manager.parts.reconciler.phaseOf(id)}`,
    });
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.program.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#ownsDirectory) await rm(this.directory, { recursive: true, force: true });
  }
}

export interface JoinedNode {
  readonly id: string;
  readonly token: string;
  readonly credentials: { readonly node_id: string; readonly node_secret: string };
  readonly node: SimNode;
}
