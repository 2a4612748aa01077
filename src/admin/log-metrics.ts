import { Counter, type Registry } from 'prom-client';

/** The structured log's own losses. */
export function addLogMetrics(registry: Registry, dropped: () => number): void {
  new Counter({
    name: 'adit_log_lines_dropped_total',
    help: 'Structured log lines that could not be handed to their target.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(dropped());
    },
  });
}
