import type { AdminServer } from '../admin/admin-server.ts';
import type { Clock } from '../lib/clock.ts';
import type { EventLoopWatch } from '../lib/event-loop-watch.ts';
import { formatHostPort } from '../lib/host-port.ts';
import type { Logger } from '../lib/logger.ts';
import type { ObserverAdminSource } from './admin/observer-routes.ts';
import type { ObserverConfig } from './config/observer-config.ts';
import { readHexSecret } from './config/secret-file.ts';
import { MetricsServer } from './outputs/metrics-server.ts';
import type { ScrapeCounters } from './outputs/metrics-text.ts';

export interface ObserverServersDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly loop: EventLoopWatch;
  readonly source: ObserverAdminSource;
  /** The observer's metrics as Prometheus text. */
  readonly metrics: () => string;
}

/** The HTTP servers of an observer, each only if its address is in the config: metrics and the REST API. */
export class ObserverServers {
  readonly #dependencies: ObserverServersDependencies;
  readonly #stack = new AsyncDisposableStack();
  #metrics: MetricsServer | null = null;
  #api: AdminServer | null = null;

  constructor(dependencies: ObserverServersDependencies) {
    this.#dependencies = dependencies;
  }

  /** Rejects with an AppError; call `stop` then too. */
  async start(config: ObserverConfig): Promise<void> {
    await this.#startMetrics(config);
    await this.#startApi(config);
  }

  /** Idempotent. */
  stop(): Promise<void> {
    return this.#stack.disposeAsync();
  }

  get metricsPort(): number | null {
    return this.#metrics?.port ?? null;
  }

  get scrapes(): ScrapeCounters {
    return this.#metrics?.counters ?? { authFailures: 0, rateLimited: 0 };
  }

  /** `ip:port`; null without the API. */
  get apiAddress(): string | null {
    const [address] = this.#api?.addresses() ?? [];
    return address === undefined ? null : formatHostPort(address);
  }

  problems(): readonly string[] {
    return this.#api?.problems() ?? [];
  }

  async #startMetrics(config: ObserverConfig): Promise<void> {
    const { prom_addr: address, prom_token_file: tokenFile } = config;
    if (address === null || tokenFile === null) return;
    const { prom_rate_limit_per_sec: ratePerSecond, prom_rate_limit_burst: burst } = config;
    const token = await readHexSecret('prom_token_file', tokenFile);
    const { clock, metrics: text } = this.#dependencies;
    const metrics = new MetricsServer({ clock, text }, { address, token, ratePerSecond, burst });
    this.#stack.defer(() => metrics.stop());
    await metrics.start();
    this.#metrics = metrics;
  }

  async #startApi({ api_addr: address, api_token: apiToken }: ObserverConfig): Promise<void> {
    if (address === null) return;
    // Loaded only where it is used: an observer without it needs a third less memory.
    const { createObserverAdmin } = await import('./admin/observer-admin.ts');
    const api = createObserverAdmin(this.#dependencies, { address, apiToken });
    this.#stack.defer(() => api.stop());
    await api.start();
    this.#api = api;
  }
}
