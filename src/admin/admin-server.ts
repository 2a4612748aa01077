import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { AppError, errorMessage } from '../lib/app-error.ts';
import { formatHostPort, type HostPort } from '../lib/host-port.ts';
import { createAdminApp, type AdminAppDependencies, type AdminAppSettings } from './admin-app.ts';

export interface AdminServerSettings extends AdminAppSettings {
  readonly addresses: readonly HostPort[];
}

/** Open connections per address: an operator, a scraper and a few dashboards need far fewer. */
const maxConnections = 256;
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
const keepAliveTimeoutMs = 30_000;

/** Serves the REST API on one or several addresses. */
export class AdminServer {
  readonly #dependencies: AdminAppDependencies;
  readonly #settings: AdminServerSettings;
  #app: FastifyInstance | null = null;
  #servers: readonly Server[] = [];

  constructor(dependencies: AdminAppDependencies, settings: AdminServerSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
  }

  /** Where it listens, with the real ports; empty before `start` and after `stop`. */
  addresses(): readonly HostPort[] {
    return this.#servers.map(boundAddress);
  }

  /**
   * An address that fails among several is a warning (conformance L2). Rejects with AppError `address-unavailable`
   * when none of them can be had.
   */
  async start(): Promise<void> {
    const app = await createAdminApp(this.#dependencies, this.#settings);
    this.#app = app;
    const attempts = await Promise.allSettled(this.#settings.addresses.map((address) => listen(app, address)));
    this.#servers = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    const failures = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason as unknown] : []));
    if (this.#servers.length === 0 && failures.length > 0) {
      await this.stop();
      throw new AppError('address-unavailable', failures.map(errorMessage).join('; '), { cause: failures[0] });
    }
    for (const error of failures) this.#dependencies.logger.warn({ error }, 'an API address could not be used');
  }

  /** Idempotent. Cuts the connections that are open. */
  async stop(): Promise<void> {
    const [servers, app] = [this.#servers, this.#app];
    this.#servers = [];
    this.#app = null;
    await Promise.all(servers.map(closeServer));
    await app?.close();
  }
}

function listen(app: FastifyInstance, address: HostPort): Promise<Server> {
  const server = createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: headersTimeoutMs, keepAliveTimeout: keepAliveTimeoutMs },
    (request, response) => app.routing(request, response),
  );
  server.maxConnections = maxConnections;
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new AppError('address-unavailable', `the REST API cannot listen on ${formatHostPort(address)}`, { cause }),
      );
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
