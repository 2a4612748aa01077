import type { LogFields, Logger } from '../../lib/logger.ts';
import type { EventSeverity } from '../../protocol/node/node-event.ts';
import type { EventListener } from './event-hub.ts';

const levels = { info: 'info', warning: 'warn', critical: 'error' } as const satisfies Record<EventSeverity, string>;

/** Writes each event as a log line: its kind in words as the constant message, what fills its text as fields. */
export function createLogSink(logger: Logger): EventListener {
  return ({ event, report }) => {
    const fields: LogFields = { ...(report.flowId !== undefined && { tunnel_id: report.flowId }), ...report.details };
    logger[levels[report.severity]](fields, event.kind.replaceAll('-', ' '));
  };
}
