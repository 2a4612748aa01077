import { Counter, type Registry } from 'prom-client';
import type { EventListener } from '../../admin/event-hub.ts';

/** Events by kind; a kind is one of a closed list, so no peer can add a label. What was held back is counted too. */
export function addEventMetrics(registry: Registry): EventListener {
  const events = new Counter({
    name: 'adit_relay_events_total',
    help: 'Events by kind and severity, those that were not sent one by one included.',
    labelNames: ['kind', 'severity'],
    registers: [registry],
  });
  return ({ event, report }) => {
    const suppressed = report.details?.['suppressed'];
    events.inc({ kind: event.kind, severity: report.severity }, 1 + (typeof suppressed === 'number' ? suppressed : 0));
  };
}
