import { Registry } from 'prom-client';
import { AdminServer } from '../../admin/admin-server.ts';
import { addEngineMetrics } from '../../admin/engine-metrics.ts';
import { addLogMetrics } from '../../admin/log-metrics.ts';
import { addProcessMetrics } from '../../admin/process-metrics.ts';
import type { Clock } from '../../lib/clock.ts';
import type { EventLoopWatch } from '../../lib/event-loop-watch.ts';
import type { HostPort } from '../../lib/host-port.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EdgeAdminSource } from './edge-admin-source.ts';
import { addEdgeMetrics } from './edge-metrics.ts';
import { rtcDocument } from './rtc-document.ts';
import { addRtcRoutes } from './rtc-routes.ts';
import { edgeRoutes } from './edge-routes.ts';

export interface EdgeAdminDependencies {
  readonly clock: Clock;
  readonly source: EdgeAdminSource;
  readonly loop: EventLoopWatch;
  readonly logger: Logger;
  readonly droppedLogLines: () => number;
}

export interface EdgeAdminSettings {
  readonly address: HostPort;
  readonly apiToken: string | null;
}

/** The edge's REST API and metrics, ready to be started. */
export function createEdgeAdmin(
  { clock, source, loop, logger, droppedLogLines }: EdgeAdminDependencies,
  settings: EdgeAdminSettings,
): AdminServer {
  const registry = new Registry();
  addEdgeMetrics(registry, source);
  addEngineMetrics(registry, () => source.engine());
  addProcessMetrics(registry, loop);
  addLogMetrics(registry, droppedLogLines);
  return new AdminServer(
    {
      routes: edgeRoutes(source),
      own: { add: (app) => addRtcRoutes(app, source), ...rtcDocument },
      metrics: () => registry.metrics(),
      clock,
      logger,
    },
    { title: 'Adit edge', addresses: [settings.address], apiToken: settings.apiToken },
  );
}
