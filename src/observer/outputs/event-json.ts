import type { ObserverEvent } from '../slots/observer-event.ts';

/** An event as one line of JSON without its end. u64 fields are decimal strings: they pass 2^53. */
export function eventJson(event: ObserverEvent): string {
  return JSON.stringify(event, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
