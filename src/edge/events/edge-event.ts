import type { EventText, RaisedEvent } from '../../admin/event-hub.ts';
import type { LogFields } from '../../lib/logger.ts';
import { linkEventText, type LinkEvent } from '../../protocol/node/link-event.ts';
import type { EventCategory, EventSeverity } from '../../protocol/node/node-event.ts';
import type { EdgeTunnelInfo } from '../../protocol/node/edge-telemetry.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import { flowEventText, isFlowEvent, type FlowEvent } from './flow-event.ts';

export interface TunnelRef {
  readonly id: TunnelId;
  readonly name: string;
}

type TunnelSetup = Pick<EdgeTunnelInfo, 'protocol' | 'direction' | 'local_addr' | 'relay_addrs'>;

interface OfTunnel {
  readonly tunnel: TunnelRef;
}

interface OfRelay extends OfTunnel {
  /** host:port as configured. */
  readonly relayAddr: string;
}

/**
 * What an edge reports to its manager and its log (docs/protocol/events.md). Raised on transitions, not while a state
 * lasts.
 */
export type EdgeEvent =
  /** `setup` is for the log line alone: where it listens, with the real port, and its relays in order. */
  | (OfTunnel & { readonly kind: 'tunnel-started'; readonly setup: TunnelSetup })
  | (OfTunnel & { readonly kind: 'tunnel-stopped' })
  /** The relay holds our leg, and the peer's as well when `peer` is `present`. */
  | (OfRelay & { readonly kind: 'relay-connected'; readonly peer: 'absent' | 'present' })
  | (OfRelay & { readonly kind: 'relay-disconnected'; readonly reason: string })
  | (OfRelay & { readonly kind: 'peer-disconnected'; readonly reason: string })
  | (OfRelay & { readonly kind: 'relay-connection-failed'; readonly error: string })
  | (OfRelay & { readonly kind: 'bind-rejected'; readonly reason: string })
  | (OfTunnel & { readonly kind: 'tunnel-failed'; readonly error: string })
  | (OfTunnel & {
      readonly kind: 'datagrams-dropped';
      readonly reason: string;
      readonly count: number;
      readonly windowSecs: number;
    })
  | (OfTunnel & {
      readonly kind: 'connections-refused';
      readonly reason: string;
      readonly count: number;
      readonly windowSecs: number;
    })
  /** SRT's default does not fit; `payloadBytes`: what a local program may put into one datagram. */
  | (OfTunnel & { readonly kind: 'narrow-path'; readonly pathMtu: number | null; readonly payloadBytes: number })
  | (OfTunnel & { readonly kind: 'several-senders'; readonly localAddr: string })
  | LinkEvent
  | FlowEvent
  | { readonly kind: 'configuration-updated' }
  | { readonly kind: 'configuration-not-persisted'; readonly error: string };

type OwnEvent = Exclude<EdgeEvent, LinkEvent | FlowEvent>;
type EventKind = OwnEvent['kind'];
type EventOf<Kind extends EventKind> = Extract<OwnEvent, { kind: Kind }>;

interface Text<Kind extends EventKind> {
  readonly category: EventCategory;
  readonly severity: EventSeverity;
  readonly message: (event: EventOf<Kind>) => string;
  readonly details?: (event: EventOf<Kind>) => Readonly<Record<string, unknown>>;
}

const tunnel = 'tunnel';
const config = 'config';

/** The exact words of docs/protocol/events.md. */
const texts: { readonly [Kind in EventKind]: Text<Kind> } = {
  'tunnel-started': { category: tunnel, severity: 'info', message: (event) => `Tunnel '${event.tunnel.name}' started` },
  'tunnel-stopped': { category: tunnel, severity: 'info', message: (event) => `Tunnel '${event.tunnel.name}' stopped` },
  'relay-connected': {
    category: tunnel,
    severity: 'info',
    message: () => 'Tunnel connected to relay',
    details: ({ relayAddr, peer }) => ({ relay_addr: relayAddr, peer }),
  },
  'relay-disconnected': {
    category: tunnel,
    severity: 'warning',
    message: ({ reason }) => `Tunnel disconnected from relay: ${reason}`,
    details: ({ relayAddr, reason }) => ({ relay_addr: relayAddr, reason }),
  },
  'peer-disconnected': {
    category: tunnel,
    severity: 'warning',
    message: ({ reason }) => `Tunnel peer disconnected: ${reason}`,
    details: ({ relayAddr, reason }) => ({ relay_addr: relayAddr, reason }),
  },
  'relay-connection-failed': {
    category: tunnel,
    severity: 'warning',
    message: ({ error }) => `Tunnel connection to relay failed: ${error}`,
    details: ({ relayAddr, error }) => ({ relay_addr: relayAddr, error }),
  },
  'bind-rejected': {
    category: tunnel,
    severity: 'critical',
    message: ({ reason }) => `Tunnel bind rejected by relay: ${reason}`,
    details: ({ relayAddr, reason }) => ({ relay_addr: relayAddr, reason }),
  },
  'tunnel-failed': {
    category: tunnel,
    severity: 'critical',
    message: (event) => `Tunnel '${event.tunnel.name}' failed: ${event.error}`,
    details: ({ error }) => ({ error }),
  },
  'datagrams-dropped': {
    category: tunnel,
    severity: 'warning',
    message: ({ reason }) => `Datagrams dropped: ${reason}`,
    details: ({ reason, count, windowSecs }) => ({ reason, count, window: windowSecs }),
  },
  'connections-refused': {
    category: tunnel,
    severity: 'warning',
    message: ({ reason }) => `TCP connections refused: ${reason}`,
    details: ({ reason, count, windowSecs }) => ({ reason, count, window: windowSecs }),
  },
  'narrow-path': {
    category: tunnel,
    severity: 'warning',
    message: ({ payloadBytes }) => `Narrow path to the relay: payloads of up to ${payloadBytes} bytes fit`,
    details: ({ pathMtu, payloadBytes }) => ({ path_mtu: pathMtu, payload_bytes: payloadBytes }),
  },
  'several-senders': {
    category: tunnel,
    severity: 'warning',
    message: ({ localAddr }) => `Several programs send to ${localAddr}: answers go to the one that sent last`,
    details: ({ localAddr }) => ({ local_addr: localAddr }),
  },
  'configuration-updated': { category: config, severity: 'info', message: () => 'Configuration updated' },
  'configuration-not-persisted': {
    category: config,
    severity: 'warning',
    message: ({ error }) => `Failed to persist configuration: ${error}`,
    details: ({ error }) => ({ error }),
  },
};

/** The event as managers and logs get it. */
export function edgeEventText(event: EdgeEvent): EventText {
  if (isFlowEvent(event)) return { ...flowEventText(event), flowId: event.flowId };
  if (!isOwnEvent(event)) return linkEventText(event);
  // One table entry per kind, which the compiler cannot see through the union.
  const text = texts[event.kind] as Text<EventKind>;
  const details = text.details?.(event);
  return {
    severity: text.severity,
    category: text.category,
    message: text.message(event),
    ...('tunnel' in event && { flowId: event.tunnel.id }),
    ...(details !== undefined && { details }),
  };
}

/** The fields of an event's log line that name what it is about. */
export function subjectOf({ event }: RaisedEvent<EdgeEvent>): LogFields {
  if ('tunnel' in event) {
    const tunnel = { tunnel: event.tunnel.name, tunnel_id: event.tunnel.id };
    if (event.kind !== 'tunnel-started') return tunnel;
    const { protocol, direction, local_addr, relay_addrs } = event.setup;
    return { ...tunnel, protocol, direction, local_addr, relay_addrs };
  }
  return 'flowId' in event ? { flow_id: event.flowId } : {};
}

function isOwnEvent(event: EdgeEvent): event is OwnEvent {
  return Object.hasOwn(texts, event.kind);
}
