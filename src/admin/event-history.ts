import type { NodeEvent } from '../protocol/node/node-event.ts';
import type { PastEvent } from './past-event.ts';

export interface EventHistorySettings {
  /** Tunnels whose past is kept; those that were quiet the longest go first. */
  readonly maxTunnels: number;
  readonly eventsPerTunnel: number;
  /** Events about no tunnel that are kept. */
  readonly otherEvents: number;
}

/** The latest events of each tunnel, for `adit why`. */
export class EventHistory {
  readonly #settings: EventHistorySettings;
  readonly #byTunnel = new Map<string, readonly PastEvent[]>();
  #others: readonly PastEvent[] = [];

  constructor(settings: EventHistorySettings) {
    this.#settings = settings;
  }

  add(kind: string, event: NodeEvent): void {
    const { timestamp: at, severity, message, flowId, details = {} } = event;
    const past: PastEvent = { at, kind, severity, message, details };
    if (flowId === undefined) this.#others = [...this.#others, past].slice(-this.#settings.otherEvents);
    else this.#addToTunnel(flowId, past);
  }

  /** Of a tunnel or a media flow, oldest first. */
  ofTunnel(id: string): readonly PastEvent[] {
    return this.#byTunnel.get(id) ?? [];
  }

  /** Those about no tunnel, oldest first. */
  others(): readonly PastEvent[] {
    return this.#others;
  }

  #addToTunnel(id: string, past: PastEvent): void {
    const events = [...(this.#byTunnel.get(id) ?? []), past].slice(-this.#settings.eventsPerTunnel);
    // Deleted first, so that the map's order is the order of the latest event.
    this.#byTunnel.delete(id);
    this.#byTunnel.set(id, events);
    const oldest = this.#byTunnel.keys().next();
    if (this.#byTunnel.size > this.#settings.maxTunnels && oldest.done !== true) this.#byTunnel.delete(oldest.value);
  }
}
