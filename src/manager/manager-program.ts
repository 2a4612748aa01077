import { hostname } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { isDeepStrictEqual } from 'node:util';
import { fastify, type FastifyInstance } from 'fastify';
import type { ReloadOutcome } from '../config/config-reload.ts';
import { changedKeys } from '../config/changed-keys.ts';
import type { Clock } from '../lib/clock.ts';
import { DescriptorWatch } from '../lib/descriptor-watch.ts';
import type { HostPort } from '../lib/host-port.ts';
import type { Logger } from '../lib/logger.ts';
import type { LoopPulse } from '../lib/loop-pulse.ts';
import { nodeHttp } from '../lib/node-http.ts';
import { noSchemaCompilers } from '../lib/no-schema-compilers.ts';
import type { Random } from '../lib/random.ts';
import { certificateFingerprint, keepSelfSigned, loadTlsIdentity } from '../quic/tls-material.ts';
import { sendRefusal } from './api/serve-routes.ts';
import type { ManagerConfig } from './config/manager-config.ts';
import type { RegisterApi } from './extension-points.ts';
import { HttpsServer, type ServerIdentity, type UpgradeHandler } from './https-server.ts';
import type { InstanceFacts } from './instances/instance-lease.ts';
import { Manager } from './manager.ts';
import { createManagerBeats } from './manager-beats.ts';
import { ManagerMetrics } from './manager-metrics.ts';
import { ConsoleSocket } from './maintenance/console-socket.ts';
import { openSealing } from './secrets/open-sealing.ts';
import { checkSealed } from './secrets/sealed-rows.ts';
import { openDatabase, sqlitePathOf, type OpenDatabase } from './store/open-database.ts';

export interface ManagerProgramDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly softwareVersion: string;
  /** Of this event loop: the thread of an embedded database watches it. */
  readonly loopPulse?: LoopPulse;
}

export interface ManagerProgramSettings {
  readonly config: ManagerConfig;
  readonly registerApi: RegisterApi;
  /** Starts although the master key is lost: tunnels run on, their keys count as unknown. */
  readonly forgetSealed: boolean;
}

/** A manager that runs, with all that it needs of the machine. */
export interface ManagerProgram {
  readonly addresses: readonly HostPort[];
  /** SHA-256 of the certificate: what nodes are given as `cert_fingerprint`. */
  readonly certificateFingerprint: string;
  /** The path of the page that makes the first administrator; null once there is one. */
  readonly firstAdmin: string | null;
  readonly manager: Manager;
  /** Statements so far that could change the database; null where the engine is not asked. */
  writes(): number | null;
  reload(next: ManagerConfig): Promise<ReloadOutcome>;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Names of the self-signed certificate, beside the host's own. */
const certificateNames = ['localhost', '127.0.0.1', '::1'];
/** A body of the REST API. */
const maxBodyBytes = 2 * 1_048_576;

/** Starts everything that a manager is made of; nothing is left behind when it rejects (AppError). */
export async function startManagerProgram(
  settings: ManagerProgramSettings,
  dependencies: ManagerProgramDependencies,
): Promise<ManagerProgram> {
  const { config } = settings;
  const { clock, logger, random, softwareVersion } = dependencies;
  await using starting = new AsyncDisposableStack();
  let identity = await identityOf(config, clock);
  const sealing = await openSealing(config, random, process.env);
  const database = await openConfigured(config, dependencies);
  starting.defer(() => database.close());
  await checkSealed(database, sealing, { forget: settings.forgetSealed, now: clock.now() });
  const console = await openConsole(config, { ...dependencies, database, sealing });
  starting.defer(() => console?.stop());
  const manager = new Manager(config, { clock, random, logger, database, sealing }, factsOf(config, softwareVersion));
  const beats = createManagerBeats(config, dependencies, manager, () => identity.certificate);
  starting.defer(() => beats?.stop());
  const app = createApp(config, logger);
  starting.defer(() => app.close());
  starting.defer(watchDescriptors(dependencies));
  const metrics = new ManagerMetrics(manager, { clock, database });
  starting.defer(() => metrics.stop());
  const extension = await settings.registerApi(app, {
    ...{ clock, random, logger, softwareVersion, config, database, sealing },
    store: manager.parts.store,
    fleet: manager.fleet,
    health: manager,
    metrics: () => metrics.text(),
    certificateFingerprint: certificateFingerprint(identity.certificate),
  });
  const upgrades = upgradesOf(manager, extension.upgrades);
  const server = new HttpsServer({
    ...{ clock, logger, upgrades },
    onRequest: (request, response) => app.routing(request, response),
  });
  await app.ready();
  starting.defer(() => server.stop());
  await manager.start();
  starting.defer(() => manager.stop());
  starting.defer(() => extension.stop());
  await server.start(config.listen, identity);
  await beats?.start();
  const running = starting.move();
  return {
    addresses: server.addresses,
    certificateFingerprint: certificateFingerprint(identity.certificate),
    firstAdmin: extension.firstAdmin,
    manager,
    writes: () => database.writes(),
    async reload(next) {
      const renewed = await identityOf(next, clock);
      const applied = isDeepStrictEqual(renewed, identity) ? [] : ['certificate'];
      server.setIdentity(renewed);
      identity = renewed;
      return { applied, needsRestart: changedKeys(config, next).filter((key) => key !== 'log_level') };
    },
    stop: () => running.disposeAsync(),
  };
}

/** Returns what ends the watch. */
function watchDescriptors(dependencies: ManagerProgramDependencies): () => void {
  const watch = new DescriptorWatch(dependencies);
  watch.start();
  return () => watch.stop();
}

/** By path: nodes, and what the API adds. */
function upgradesOf(
  { parts: { hub } }: Manager,
  others: ReadonlyMap<string, UpgradeHandler>,
): ReadonlyMap<string, UpgradeHandler> {
  return new Map([['/ws/node', (request, socket, head) => hub.upgrade(request, socket, head)], ...others]);
}

function openConfigured(
  { database }: ManagerConfig,
  { clock, logger, loopPulse }: ManagerProgramDependencies,
): Promise<OpenDatabase> {
  return openDatabase(database.url, {
    clock,
    ...(loopPulse !== undefined && { loopPulse }),
    listenUrl: database.listen_url,
    onError: (error) => logger.debug({ error }, 'an idle database connection was lost'),
  });
}

/** Null where other processes can open the database, too. */
async function openConsole(
  { database: { url } }: ManagerConfig,
  dependencies: ConstructorParameters<typeof ConsoleSocket>[1],
): Promise<ConsoleSocket | null> {
  const path = sqlitePathOf(url);
  if (path === null) return null;
  const console = new ConsoleSocket(path, dependencies);
  await console.start();
  return console;
}

function createApp({ behind_proxy: hops }: ManagerConfig, logger: Logger): FastifyInstance {
  return fastify({
    bodyLimit: maxBodyBytes,
    schemaController: noSchemaCompilers,
    trustProxy: (_address, hop) => hop < hops,
    // What is too long is no id either, and Node limits the whole.
    routerOptions: { maxParamLength: nodeHttp.maxHeaderSize },
    frameworkErrors: (error, request, reply) => void sendRefusal(error, request, reply, logger),
  });
}

function factsOf(config: ManagerConfig, version: string): InstanceFacts {
  return { name: config.instance_name ?? hostname(), url: config.instance_url, version };
}

function identityOf(config: ManagerConfig, clock: Clock): Promise<ServerIdentity> {
  const { tls_cert_path: certificate, tls_key_path: key, state_dir: stateDir } = config;
  if (certificate !== null && key !== null) return loadTlsIdentity(certificate, key);
  return keepSelfSigned(join(stateDir, 'certs'), clock, [hostname(), ...certificateNames]);
}
