import { Registry } from 'prom-client';
import { AdminServer } from '../../admin/admin-server.ts';
import { addProcessMetrics } from '../../admin/process-metrics.ts';
import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { EventLoopWatch } from '../../lib/event-loop-watch.ts';
import { parseHostPort } from '../../lib/host-port.ts';
import type { Logger } from '../../lib/logger.ts';
import { observerRoutes, type ObserverAdminSource } from './observer-routes.ts';

export interface ObserverAdminDependencies {
  readonly clock: Clock;
  readonly source: ObserverAdminSource;
  readonly loop: EventLoopWatch;
  readonly logger: Logger;
  /** The observer's own metrics as Prometheus text. */
  readonly metrics: () => string;
}

/** An observer's REST API and, beside `prom_addr`, the same metrics, ready to be started. */
export function createObserverAdmin(
  { clock, source, loop, logger, metrics }: ObserverAdminDependencies,
  settings: { readonly address: string; readonly apiToken: string | null },
): AdminServer {
  const registry = new Registry();
  addProcessMetrics(registry, loop);
  const address = parseHostPort(settings.address);
  if (address === null) throw new AppError('bug', `the config let ${settings.address} through`);
  return new AdminServer(
    { routes: observerRoutes(source), metrics: async () => `${metrics()}${await registry.metrics()}`, clock, logger },
    { title: 'Adit observer', addresses: [address], apiToken: settings.apiToken },
  );
}
