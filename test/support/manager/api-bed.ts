import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
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
import type { SampleSize } from './sample-fleet.ts';

export interface ApiBedOptions {
  readonly size?: SampleSize;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly config?: object;
}

export interface Sent {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface SendOptions {
  readonly token?: string | null;
  readonly cookie?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
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
    const parsed = parseManagerConfig(options.config ?? {}, folder);
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

  /** `path` without a slash at its head is below `/api/v1/`. */
  send(method: string, path: string, { token, cookie, headers = {}, body, raw }: SendOptions = {}): Promise<Sent> {
    const { promise, resolve, reject } = Promise.withResolvers<Sent>();
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const url = `${this.origin}${path.startsWith('/') ? path : `/api/v1/${path}`}`;
    const request = httpsRequest(url, {
      method,
      rejectUnauthorized: false,
      agent: false,
      headers: {
        ...(content !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && token !== null && { authorization: `Bearer ${token}` }),
        ...(cookie !== undefined && { cookie }),
        ...headers,
      },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: asRecord(text) });
      });
    });
    request.end(content);
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}

/** What a browser sends from our own page. */
export const sameOrigin = { 'sec-fetch-site': 'same-origin' } as const;

export function cookieOf(answer: Sent): string {
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

function asRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
