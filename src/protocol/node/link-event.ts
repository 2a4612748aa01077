import type { EventSeverity, NodeEvent } from './node-event.ts';

/** What a node's link to its manager reports; relay and edge use the same words (docs/protocol/events.md). */
export type LinkEvent =
  | { readonly kind: 'manager-connected'; readonly url: string }
  | { readonly kind: 'manager-lost'; readonly url: string; readonly error: string | null }
  | { readonly kind: 'manager-auth-failed'; readonly url: string; readonly reason: string }
  | { readonly kind: 'secret-rotated' }
  | { readonly kind: 'credential-persistence-failed'; readonly error: string }
  | EventsLost;

/** Undelivered events are gone: the journal was full, or somebody removed or cut its files. */
export interface EventsLost {
  readonly kind: 'events-lost';
  /** By `category/severity`; `unknown` for those that went with a file. */
  readonly counts: Readonly<Record<string, number>>;
  /** RFC 3339, of the first and the last event that was dropped. */
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
}

export type LinkEventText = Pick<NodeEvent, 'severity' | 'category' | 'message' | 'details'>;

/** The event in the words that managers know. */
export function linkEventText(event: LinkEvent): LinkEventText {
  switch (event.kind) {
    case 'manager-connected':
      return text('info', 'Connected to manager', { url: event.url });
    case 'manager-lost': {
      const end = event.error === null ? '' : `: ${event.error}`;
      return text('warning', `Manager connection lost, reconnecting${end}`, { url: event.url });
    }
    case 'manager-auth-failed':
      return text('critical', `Manager authentication failed: ${event.reason}`, { url: event.url });
    case 'secret-rotated':
      return text('info', 'Secret rotated successfully');
    case 'credential-persistence-failed':
      return text('warning', `Credential persistence failed: ${event.error}`);
    case 'events-lost':
      return eventsLostText(event);
  }
}

function eventsLostText({ counts, firstTimestamp, lastTimestamp }: EventsLost): LinkEventText {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const details = { counts, first_timestamp: firstTimestamp, last_timestamp: lastTimestamp };
  return text('warning', `Events lost: the journal was full or removed, ${total} are gone`, details);
}

function text(severity: EventSeverity, message: string, details?: LinkEventText['details']): LinkEventText {
  return { category: 'manager', severity, message, ...(details !== undefined && { details }) };
}
