import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { addressUnavailable } from '../lib/address-unavailable.ts';
import { AppError, errorMessage } from '../lib/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import { formatHostPort, parseHostPort, type HostPort } from '../lib/host-port.ts';
import type { Logger } from '../lib/logger.ts';
import { HandshakeQueue } from './handshake-queue.ts';

/** PEM texts. */
export interface ServerIdentity {
  readonly certificate: string;
  readonly privateKey: string;
}

/** Takes over a socket that requests a WebSocket. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface HttpsServerDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** By path, without a query. */
  readonly upgrades: ReadonlyMap<string, UpgradeHandler>;
}

const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
const keepAliveTimeoutMs = 30_000;
/** A TLS handshake that takes longer is given up. */
const handshakeTimeoutMs = 10_000;

const malformed = ['400 Bad Request', 'bad_request', 'The request is not HTTP.'] as const;
/** By the error code of Node's parser: status, `error_code`, text. */
const unreadable: Readonly<Record<string, readonly [string, string, string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'headers_too_large',
    'The address and headers of the request are too long.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'timed_out', 'The request took too long to arrive.'],
};

/** The one HTTPS port (or several addresses) for nodes, REST and browsers. */
export class HttpsServer {
  readonly #dependencies: HttpsServerDependencies;
  readonly #sockets = new Set<Duplex>();
  #servers: readonly Server[] = [];

  constructor(dependencies: HttpsServerDependencies) {
    this.#dependencies = dependencies;
  }

  /** With the real ports; empty before `start` and after `stop`. */
  get addresses(): readonly HostPort[] {
    return this.#servers.map((server) => {
      const { address, port } = server.address() as AddressInfo;
      return { host: address, port };
    });
  }

  /** Rejects with AppError `address-unavailable`; nothing listens then. */
  async start(addresses: readonly string[], identity: ServerIdentity): Promise<void> {
    const attempts = await Promise.allSettled(addresses.map((address) => this.#listen(address, identity)));
    this.#servers = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    const failures = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason as unknown] : []));
    if (failures.length === 0) return;
    await this.stop();
    throw new AppError('address-unavailable', failures.map(errorMessage).join('\n'));
  }

  /** For connections from now on. */
  setIdentity({ certificate, privateKey }: ServerIdentity): void {
    for (const server of this.#servers) server.setSecureContext({ cert: certificate, key: privateKey });
  }

  /** Idempotent. Cuts what is still open. */
  async stop(): Promise<void> {
    const servers = this.#servers;
    this.#servers = [];
    const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  async #listen(text: string, { certificate, privateKey }: ServerIdentity): Promise<Server> {
    const { logger, onRequest } = this.#dependencies;
    const address = parseHostPort(text);
    if (address === null) throw new AppError('config-invalid', `${text} is not host:port`);
    const server = createServer(
      {
        cert: certificate,
        key: privateKey,
        minVersion: 'TLSv1.2',
        handshakeTimeout: handshakeTimeoutMs,
        headersTimeout: headersTimeoutMs,
        requestTimeout: requestTimeoutMs,
        keepAliveTimeout: keepAliveTimeoutMs,
      },
      onRequest,
    );
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
    this.#queueHandshakes(server);
    server.on('clientError', refuseUnreadable);
    server.on('tlsClientError', (error) => logger.debug({ error }, 'TLS handshake failed'));
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    // Also later, for an accept that the system refuses: without a listener it would end the process.
    server.on('error', reject);
    server.listen({ ...address, ipv6Only: address.host.includes(':') }, () => resolve(undefined));
    try {
      await promise;
    } catch (cause) {
      throw addressUnavailable(`cannot listen on ${formatHostPort(address)}`, cause);
    }
    return server;
  }

  /** Puts the queue before the listener with which Node begins a handshake. */
  #queueHandshakes(server: Server): void {
    const queue = new HandshakeQueue(this.#dependencies.clock);
    const begin = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      // Until it is begun nothing else listens.
      socket.on('error', () => socket.destroy());
      const name = nameOf(socket);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        queue.leave(name);
      });
      queue.enter(name, () => {
        if (!socket.destroyed) for (const listener of begin) listener.call(server, socket);
      });
    });
    server.on('secureConnection', (socket) => queue.leave(nameOf(socket)));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const handler = this.#dependencies.upgrades.get(path);
    if (handler !== undefined) handler(request, socket, head);
    else socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  }
}

/** The same for a connection and for the TLS over it; nothing else has it while the connection is open. */
function nameOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Node's own responses have no body; every other refusal of this port has one. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  // No words reach a peer before its handshake is over. After one that took too long they would be late and wrong.
  const isUnsecured = /^ERR_(TLS|SSL)_/.test(error.code ?? '');
  if (!socket.writable || isUnsecured || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, error_code, text] = unreadable[error.code ?? ''] ?? malformed;
  const body = JSON.stringify({ error: text, error_code });
  const lines = [
    `HTTP/1.1 ${status}`,
    'connection: close',
    'content-type: application/json; charset=utf-8',
    `content-length: ${body.length}`,
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
