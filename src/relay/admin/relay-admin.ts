import { Registry } from 'prom-client';
import { AdminServer } from '../../admin/admin-server.ts';
import { addEngineMetrics } from '../../admin/engine-metrics.ts';
import { addLogMetrics } from '../../admin/log-metrics.ts';
import { addProcessMetrics } from '../../admin/process-metrics.ts';
import type { Clock } from '../../lib/clock.ts';
import type { EventLoopWatch } from '../../lib/event-loop-watch.ts';
import type { HostPort } from '../../lib/host-port.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EventListener } from '../../admin/event-hub.ts';
import { addEventMetrics } from './event-metrics.ts';
import { addFieldMetrics } from './field-metrics.ts';
import type { RelayAdminSource } from './relay-answers.ts';
import { addRelayMetrics } from './relay-metrics.ts';
import { relayRoutes } from './relay-routes.ts';
import { addTunnelMetrics } from './tunnel-metrics.ts';

export interface RelayAdminDependencies {
  readonly clock: Clock;
  readonly source: RelayAdminSource;
  readonly loop: EventLoopWatch;
  readonly logger: Logger;
  readonly droppedLogLines: () => number;
}

export interface RelayAdminSettings {
  readonly addresses: readonly HostPort[];
  readonly apiToken: string | null;
  /** Also serve metrics under the names of field relays. */
  readonly fieldMetrics: boolean;
  /** Tunnels that have metrics of their own. */
  readonly maxTunnelsInMetrics: number;
}

export interface RelayAdmin {
  readonly server: AdminServer;
  /** Counts each event that it is called for in the metrics. */
  readonly countEvent: EventListener;
}

/** The relay's REST API and metrics, ready to be started. */
export function createRelayAdmin(dependencies: RelayAdminDependencies, settings: RelayAdminSettings): RelayAdmin {
  const { clock, source, loop, logger } = dependencies;
  const registry = new Registry();
  addRelayMetrics(registry, source);
  addTunnelMetrics(registry, source, settings.maxTunnelsInMetrics);
  if (settings.fieldMetrics) addFieldMetrics(registry, source, settings.maxTunnelsInMetrics);
  addEngineMetrics(registry, () => source.engine());
  addProcessMetrics(registry, loop);
  addLogMetrics(registry, dependencies.droppedLogLines);
  const countEvent = addEventMetrics(registry);
  const server = new AdminServer(
    { routes: relayRoutes(source), metrics: () => registry.metrics(), clock, logger },
    { title: 'Adit relay', addresses: settings.addresses, apiToken: settings.apiToken },
  );
  return { server, countEvent };
}
