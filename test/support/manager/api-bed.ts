import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fastify } from 'fastify';
import { maxHeaderSize } from 'node:http';
import { SystemClock, type Clock } from '../../../src/lib/clock.ts';
import type { Logger } from '../../../src/lib/logger.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { registerApi } from '../../../src/manager/api/register-api.ts';
import { sendRefusal } from '../../../src/manager/api/serve-routes.ts';
import { parseManagerConfig } from '../../../src/manager/config/manager-config.ts';
import { HttpsServer } from '../../../src/manager/https-server.ts';
import { Sealing } from '../../../src/manager/secrets/sealing.ts';
import type { Role } from '../../../src/manager/store/access-schema.ts';
import { createAccessStore } from '../../../src/manager/store/create-access-store.ts';
import { createStore } from '../../../src/manager/store/create-store.ts';
import { openDatabase } from '../../../src/manager/store/open-database.ts';
import { createSelfSigned } from '../samples/certificates.ts';
import { silentLogger } from '../fakes/silent-logger.ts';
import { FakeFleet } from './fake-fleet.ts';
import { cookieOf, restCall, sameOrigin, type SendOptions, type Sent } from './rest-call.ts';
import type { SampleSize } from './sample-fleet.ts';

export interface ApiBedOptions {
  readonly size?: SampleSize;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly config?: object;
}

export const adminPassword = 'correct horse battery';

/** The REST API and the page on a real HTTPS port, over a real embedded database and a fleet in memory. */
export class ApiBed implements AsyncDisposable {
  readonly fleet: FakeFleet;
  readonly origin: string;
  readonly access: ReturnType<typeof createAccessStore>;
  readonly database: Awaited<ReturnType<typeof openDatabase>>;
  readonly firstAdmin: string | null;
  readonly #stop: () => Promise<void>;

  private constructor(
    parts: Pick<ApiBed, 'fleet' | 'origin' | 'access' | 'database' | 'firstAdmin'>,
    stop: () => Promise<void>,
  ) {
    this.fleet = parts.fleet;
    this.origin = parts.origin;
    this.access = parts.access;
    this.database = parts.database;
    this.firstAdmin = parts.firstAdmin;
    this.#stop = stop;
  }

  static async start(options: ApiBedOptions = {}): Promise<ApiBed> {
    const { size = { nodes: 42, tunnels: 30 }, clock = new SystemClock(), logger = silentLogger } = options;
    const folder = await mkdtemp(join(tmpdir(), 'adit-api-'));
    const database = await openDatabase(`sqlite:${join(folder, 'manager.db')}`, { clock, onError: () => {} });
    const fleet = new FakeFleet(clock.now(), size);
    const random = new SystemRandom();
    const parsed = parseManagerConfig({ offline_grace_secs: 3_600, ...options.config }, folder);
    if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
    const app = fastify({
      routerOptions: { maxParamLength: maxHeaderSize },
      frameworkErrors: (error, request, reply) => void sendRefusal(error, request, reply, logger),
    });
    const identity = await createSelfSigned({ ipAddresses: ['127.0.0.1'], dnsNames: ['localhost'] });
    const extension = await registerApi(app, {
      ...{ clock, random, logger, softwareVersion: '0.1.0', config: parsed.config, database, fleet },
      store: createStore(database),
      sealing: new Sealing(new Uint8Array(32).fill(7), random),
      health: { notReady: () => [] },
      metrics: () => Promise.resolve('adit_manager_nodes 1\n'),
      certificateFingerprint: identity.fingerprint,
    });
    await app.ready();
    const server = new HttpsServer({
      clock,
      logger,
      onRequest: (request, response) => app.routing(request, response),
      upgrades: extension.upgrades,
    });
    await server.start(['127.0.0.1:0'], { certificate: identity.certificatePem, privateKey: identity.privateKeyPem });
    const origin = `https://127.0.0.1:${server.addresses[0]?.port ?? 0}`;
    const access = createAccessStore(database);
    return new ApiBed({ fleet, origin, access, database, firstAdmin: extension.firstAdmin }, async () => {
      await extension.stop();
      await server.stop();
      await app.close();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    });
  }

  /** Makes the first administrator with the link, as an operator would; returns the session cookie. */
  async signUp(): Promise<string> {
    const token = this.firstAdmin?.split('#')[1] ?? '';
    const answer = await this.send('POST', 'first-admin', { body: { token, name: 'alice', password: adminPassword } });
    return cookieOf(answer);
  }

  async signIn(name: string, password: string): Promise<Sent> {
    return this.send('POST', 'login', { body: { name, password } });
  }

  /** An API token of a role, made by the administrator with this cookie. */
  async tokenOf(role: Role, cookie: string): Promise<string> {
    const answer = await this.send('POST', 'api-tokens', { cookie, body: { name: role, role }, headers: sameOrigin });
    return String(answer.body['token']);
  }

  send(method: string, path: string, options: SendOptions = {}): Promise<Sent> {
    return restCall(this.origin, method, path, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}
