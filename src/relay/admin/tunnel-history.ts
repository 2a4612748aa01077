import type { TunnelId } from '../../protocol/tunnel-id.ts';
import type { RaisedEvent } from '../events/event-hub.ts';
import type { RelayEventKind } from '../events/relay-event.ts';
import type { PastEvent } from './relay-schemas.ts';

export interface TunnelHistorySettings {
  /** Tunnels whose past is kept; those that were quiet the longest go first. */
  readonly maxTunnels: number;
  readonly eventsPerTunnel: number;
  readonly connectionEvents: number;
}

/** Without a tunnel's id, and still a possible reason why an edge does not get to bind one. */
const connectionKinds: ReadonlySet<RelayEventKind> = new Set<RelayEventKind>([
  'version-mismatch',
  'per-ip-cap-exceeded',
  'edge-connection-failed',
  'accept-failed',
]);

/** The latest events, kept for people who ask why a tunnel is as it is. */
export class TunnelHistory {
  readonly #settings: TunnelHistorySettings;
  readonly #byTunnel = new Map<string, PastEvent[]>();
  #ofConnections: PastEvent[] = [];

  constructor(settings: TunnelHistorySettings) {
    this.#settings = settings;
  }

  /** To be subscribed to the event hub. */
  readonly record = ({ event, node }: RaisedEvent): void => {
    const past: PastEvent = {
      at: node.timestamp,
      kind: event.kind,
      severity: node.severity,
      message: node.message,
      details: node.details ?? {},
    };
    if (node.flowId !== undefined) this.#remember(node.flowId, past);
    else if (connectionKinds.has(event.kind)) {
      this.#ofConnections = latest([...this.#ofConnections, past], this.#settings.connectionEvents);
    }
  };

  /** Oldest first. */
  ofTunnel(id: TunnelId): readonly PastEvent[] {
    return this.#byTunnel.get(id) ?? [];
  }

  /** Oldest first. */
  ofConnections(): readonly PastEvent[] {
    return this.#ofConnections;
  }

  #remember(id: TunnelId, past: PastEvent): void {
    const events = latest([...(this.#byTunnel.get(id) ?? []), past], this.#settings.eventsPerTunnel);
    // Deleted first, so that the map's order is the order of the latest event.
    this.#byTunnel.delete(id);
    this.#byTunnel.set(id, events);
    const oldest = this.#byTunnel.keys().next();
    if (this.#byTunnel.size > this.#settings.maxTunnels && oldest.done !== true) this.#byTunnel.delete(oldest.value);
  }
}

function latest(events: PastEvent[], count: number): PastEvent[] {
  return events.slice(-count);
}
