import { Registry } from 'prom-client';
import { AdminServer } from '../../admin/admin-server.ts';
import { addEngineMetrics } from '../../admin/engine-metrics.ts';
import { addLogMetrics } from '../../admin/log-metrics.ts';
import { addProcessMetrics } from '../../admin/process-metrics.ts';
import type { EventLoopWatch } from '../../lib/event-loop-watch.ts';
import type { HostPort } from '../../lib/host-port.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EventListener } from '../events/event-hub.ts';
import { addEventMetrics } from './event-metrics.ts';
import type { RelayAdminSource } from './relay-admin-source.ts';
import { addRelayMetrics } from './relay-metrics.ts';
import { relayRoutes } from './relay-routes.ts';
import { addTunnelMetrics } from './tunnel-metrics.ts';

export interface RelayAdminDependencies {
  readonly source: RelayAdminSource;
  readonly loop: EventLoopWatch;
  readonly logger: Logger;
  /** Of the event hub. */
  subscribe(listener: EventListener): () => void;
  readonly droppedLogLines: () => number;
}

export interface RelayAdminSettings {
  readonly addresses: readonly HostPort[];
  readonly apiToken: string | null;
  /** Tunnels that have metrics of their own. */
  readonly maxTunnelsInMetrics: number;
}

/** The relay's REST API and metrics, ready to be started. Counts events from now on. */
export function createRelayAdmin(dependencies: RelayAdminDependencies, settings: RelayAdminSettings): AdminServer {
  const { source, loop, logger } = dependencies;
  const registry = new Registry();
  addRelayMetrics(registry, source);
  addTunnelMetrics(registry, source, settings.maxTunnelsInMetrics);
  addEngineMetrics(registry, () => source.engine());
  addProcessMetrics(registry, loop);
  addLogMetrics(registry, dependencies.droppedLogLines);
  dependencies.subscribe(addEventMetrics(registry));
  return new AdminServer(
    { routes: relayRoutes(source), metrics: () => registry.metrics(), logger },
    { title: 'Adit relay', addresses: settings.addresses, apiToken: settings.apiToken },
  );
}
