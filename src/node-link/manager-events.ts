import type { EventSeverity, NodeEvent } from '../protocol/node-event.ts';
import type { LossReport } from './loss-record.ts';

/** A manager event without its time, which the link adds when it raises it. */
export type ManagerEvent = Pick<NodeEvent, 'severity' | 'message' | 'details'>;

export function connected(url: string): ManagerEvent {
  return event('info', 'Connected to manager', { url });
}

export function connectionLost(url: string, error: string | null): ManagerEvent {
  const base = 'Manager connection lost, reconnecting';
  return event('warning', error === null ? base : `${base}: ${error}`, { url });
}

export function authenticationFailed(url: string, reason: string): ManagerEvent {
  return event('critical', `Manager authentication failed: ${reason}`, { url });
}

export function secretRotated(): ManagerEvent {
  return event('info', 'Secret rotated successfully');
}

export function persistenceFailed(error: string): ManagerEvent {
  return event('warning', `Credential persistence failed: ${error}`);
}

/** The journal was full for so long that events had to go before a manager could have them. */
export function eventsLost(report: LossReport): ManagerEvent {
  const total = Object.values(report.counts).reduce((sum, count) => sum + count, 0);
  return event('warning', `Events lost: ${total} dropped from the full journal`, {
    counts: report.counts,
    first_timestamp: report.firstTimestamp,
    last_timestamp: report.lastTimestamp,
  });
}

function event(severity: EventSeverity, message: string, details?: Readonly<Record<string, unknown>>): ManagerEvent {
  return { severity, message, ...(details !== undefined && { details }) };
}
