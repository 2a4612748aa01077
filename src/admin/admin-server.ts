import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { addressUnavailable } from '../lib/address-unavailable.ts';
import { errorMessage } from '../lib/app-error.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { formatHostPort, type HostPort } from '../lib/host-port.ts';
import { nodeHttp } from '../lib/node-http.ts';
import type { AdminAppDependencies, AdminAppSettings } from './admin-app.ts';

export interface AdminServerDependencies extends AdminAppDependencies {
  readonly clock: Pick<Clock, 'setInterval'>;
}

export interface AdminServerSettings extends AdminAppSettings {
  readonly addresses: readonly HostPort[];
}

/** Open connections per address: an operator, a scraper and a few dashboards need far fewer. */
const maxConnections = 256;
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
const keepAliveTimeoutMs = 30_000;
/** How often an address that could not be had is tried again. */
const retryMs = 5_000;

/** One address that was asked for: it has a server, or the reason why not. */
interface Place {
  readonly address: HostPort;
  server: Server | null;
  failure: string | null;
}

/**
 * Serves the REST API on one or several addresses. Traffic must not depend on it: an address that cannot be had is a
 * warning and is tried again, also when it is the only one.
 */
export class AdminServer {
  readonly #dependencies: AdminServerDependencies;
  readonly #settings: AdminServerSettings;
  readonly #places: readonly Place[];
  #app: FastifyInstance | null = null;
  #retry: Timer | null = null;
  #trying: Promise<void> = Promise.resolve();

  constructor(dependencies: AdminServerDependencies, settings: AdminServerSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#places = settings.addresses.map((address) => ({ address, server: null, failure: null }));
  }

  /** Where it listens, with the real ports; empty before `start` and after `stop`. */
  addresses(): readonly HostPort[] {
    return this.#places.flatMap(({ server }) => (server === null ? [] : [boundAddress(server)]));
  }

  /** Addresses that cannot be had now, with the reason, for `/health`. */
  problems(): readonly string[] {
    return this.#places.flatMap(({ failure }) => (failure === null ? [] : [failure]));
  }

  async start(): Promise<void> {
    // Loaded here, so that a relay takes edges before it has read the code of its REST API.
    const { createAdminApp } = await import('./admin-app.ts');
    this.#app = await createAdminApp(this.#dependencies, this.#settings);
    this.#trying = this.#listen();
    await this.#trying;
    if (this.problems().length === 0) return;
    this.#retry = this.#dependencies.clock.setInterval(() => {
      this.#trying = this.#trying.then(() => this.#listen());
    }, retryMs);
  }

  /** Idempotent. Cuts the connections that are open. */
  async stop(): Promise<void> {
    const app = this.#app;
    this.#app = null;
    this.#retry?.cancel();
    await this.#trying;
    const servers = this.#places.flatMap(({ server }) => (server === null ? [] : [server]));
    for (const place of this.#places) Object.assign(place, { server: null, failure: null });
    await Promise.all(servers.map(closeServer));
    await app?.close();
  }

  /** Takes every address that is still missing. Never rejects. */
  async #listen(): Promise<void> {
    const missing = this.#places.filter(({ server }) => server === null);
    await Promise.all(missing.map((place) => this.#take(place)));
    if (this.problems().length === 0) this.#retry?.cancel();
  }

  async #take(place: Place): Promise<void> {
    const app = this.#app;
    if (app === null) return;
    const { logger } = this.#dependencies;
    const address = formatHostPort(place.address);
    try {
      place.server = await listen(app, place.address);
      if (place.failure !== null) logger.info({ address }, 'the REST API listens now');
      place.failure = null;
    } catch (error) {
      const failure = errorMessage(error);
      const retry = `it is tried again every ${retryMs / 1000} s`;
      if (failure !== place.failure) {
        logger.warn({ address, error: failure, retry }, 'an API address could not be used');
      }
      place.failure = failure;
    }
  }
}

function listen(app: FastifyInstance, address: HostPort): Promise<Server> {
  const server = nodeHttp.createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: headersTimeoutMs, keepAliveTimeout: keepAliveTimeoutMs },
    (request, response) => app.routing(request, response),
  );
  server.maxConnections = maxConnections;
  return new Promise((resolve, reject) => {
    // Also later, for an accept that the system refuses: without a listener it would end the process.
    server.on('error', (cause) => {
      reject(addressUnavailable(`the REST API cannot listen on ${formatHostPort(address)}`, cause));
    });
    server.listen({ host: address.host, port: address.port, ipv6Only: true }, () => resolve(server));
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    // Clients keep connections that they do not use, and one that reads slowly must not hold up the stop.
    server.closeAllConnections();
  });
}

function boundAddress(server: Server): HostPort {
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}
