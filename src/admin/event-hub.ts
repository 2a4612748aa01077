import { rfc3339, type Clock } from '../lib/clock.ts';
import type { LogFields, Logger } from '../lib/logger.ts';
import type { EventSeverity, NodeEvent } from '../protocol/node/node-event.ts';

/** What every event of a program has: its kind, in words that dashes join. */
interface AnyEvent {
  readonly kind: string;
}

/** An event in the words that managers and logs get (docs/protocol/events.md). */
export type EventText = Omit<NodeEvent, 'timestamp'>;

/** A raised event, with the time at which it was raised and its words. */
export interface RaisedEvent<Event extends AnyEvent = AnyEvent> {
  readonly event: Event;
  readonly report: NodeEvent;
}

/** Called synchronously for each event, in order. Must not throw. */
export type EventListener<Event extends AnyEvent = AnyEvent> = (raised: RaisedEvent<Event>) => void;

/**
 * Where a program raises its events. The program's own file (`relay-program.ts`, `edge-program.ts`) lists the
 * listeners.
 */
export class EventHub<Event extends AnyEvent> {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #text: (event: Event) => EventText;
  readonly #listeners = new Set<EventListener<Event>>();

  constructor(clock: Pick<Clock, 'now'>, text: (event: Event) => EventText) {
    this.#clock = clock;
    this.#text = text;
  }

  /** Returns what ends the subscription. */
  subscribe(listener: EventListener<Event>): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** `suppressed`: how many like it were held back before it; 0 adds nothing to its details. */
  emit(event: Event, suppressed = 0): void {
    const text = this.#text(event);
    const details = suppressed > 0 ? { ...text.details, suppressed } : text.details;
    const timestamp = rfc3339(this.#clock.now());
    const report: NodeEvent = { timestamp, ...text, ...(details !== undefined && { details }) };
    for (const listener of this.#listeners) listener({ event, report });
  }
}

const levels = { info: 'info', warning: 'warn', critical: 'error' } as const satisfies Record<EventSeverity, string>;

/**
 * Writes each event as a log line: its kind in words as the constant message, what fills its text as fields.
 * `subject` names what the event is about.
 */
export function logEvents<Event extends AnyEvent>(
  logger: Logger,
  subject: (raised: RaisedEvent<Event>) => LogFields,
): EventListener<Event> {
  return (raised) => {
    const { event, report } = raised;
    logger[levels[report.severity]]({ ...subject(raised), ...report.details }, event.kind.replaceAll('-', ' '));
  };
}
