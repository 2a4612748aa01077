import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { addressUnavailable } from '../../lib/address-unavailable.ts';
import type { Clock } from '../../lib/clock.ts';
import { parseHostPort } from '../../lib/host-port.ts';
import { nodeHttp } from '../../lib/node-http.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';
import { secretsEqual } from '../../protocol/tunnel/bind-token.ts';
import type { ScrapeCounters } from './metrics-text.ts';

export interface MetricsServerSettings {
  /** `ip:port`. */
  readonly address: string;
  readonly token: string;
  readonly ratePerSecond: number;
  readonly burst: number;
}

/** Addresses whose rate is remembered. */
const maxAddresses = 1024;
const requestTimeoutMs = 5_000;

/** GET /metrics with a bearer token: 401, 404 and 405 for anything else, 429 above the rate of an address. */
export class MetricsServer {
  readonly counters: ScrapeCounters = { authFailures: 0, rateLimited: 0 };
  readonly #clock: Clock;
  readonly #text: () => string;
  readonly #settings: MetricsServerSettings;
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #server: Server;

  constructor(dependencies: { readonly clock: Clock; readonly text: () => string }, settings: MetricsServerSettings) {
    this.#clock = dependencies.clock;
    this.#text = dependencies.text;
    this.#settings = settings;
    this.#server = nodeHttp.createServer(
      { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs },
      (request, response) => this.#answer(request, response),
    );
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Rejects with AppError `unavailable`. */
  start(): Promise<void> {
    const { host = '', port = 0 } = parseHostPort(this.#settings.address) ?? {};
    return new Promise((resolve, reject) => {
      // Also later, for an accept that the system refuses: without a listener it would end the process.
      this.#server.on('error', (cause) => {
        reject(addressUnavailable(`cannot listen on ${this.#settings.address} (prom_addr)`, cause, 'unavailable'));
      });
      this.#server.listen({ host, port }, resolve);
    });
  }

  /** Idempotent. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#passesRate(request.socket.remoteAddress ?? '')) {
      this.counters.rateLimited += 1;
      end(response, 429, 'too many scrapes\n');
      return;
    }
    const given = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined || !secretsEqual(given, this.#settings.token)) {
      this.counters.authFailures += 1;
      end(response.setHeader('www-authenticate', 'Bearer'), 401, 'a bearer token is needed\n');
    } else if (request.url?.split('?')[0] !== '/metrics') {
      end(response, 404, 'only /metrics is here\n');
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      end(response.setHeader('allow', 'GET, HEAD'), 405, 'only GET\n');
    } else {
      end(response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8'), 200, this.#text());
    }
  }

  #passesRate(address: string): boolean {
    const known = this.#buckets.get(address);
    if (known !== undefined) return known.tryTake();
    if (this.#buckets.size >= maxAddresses) this.#forgetIdle();
    if (this.#buckets.size >= maxAddresses) return false;
    const { ratePerSecond, burst } = this.#settings;
    const bucket = new TokenBucket(this.#clock, { ratePerSecond, burst });
    this.#buckets.set(address, bucket);
    return bucket.tryTake();
  }

  #forgetIdle(): void {
    for (const [address, bucket] of this.#buckets) if (bucket.isFull()) this.#buckets.delete(address);
  }
}

function end(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body) }).end(body);
}
