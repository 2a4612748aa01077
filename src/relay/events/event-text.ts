import type { EventText, RaisedEvent } from '../../admin/event-hub.ts';
import type { LogFields } from '../../lib/logger.ts';
import { linkEventText, type LinkEvent } from '../../protocol/node/link-event.ts';
import type { EventCategory, EventSeverity } from '../../protocol/node/node-event.ts';
import type { EdgeRef, RelayEvent, RelayEventOf } from './relay-event.ts';

type Details = Readonly<Record<string, unknown>>;

/** Those of the link to the manager have the words of every node. */
type OwnEvent = Exclude<RelayEvent, LinkEvent>;
type OwnKind = OwnEvent['kind'];

interface Text<Kind extends OwnKind> {
  readonly category: EventCategory;
  readonly severity: EventSeverity;
  /** It changes no state, and an unauthenticated peer can cause it without limit: it is rate-limited per source. */
  readonly limited?: true;
  readonly message: (event: RelayEventOf<Kind>) => string;
  readonly details?: (event: RelayEventOf<Kind>) => Details;
}

const dosSuspect = { error_code: 'relay_dos_suspect' };
const info = 'info';
const warning = 'warning';

const texts: { readonly [Kind in OwnKind]: Text<Kind> } = {
  'edge-connected': {
    category: 'edge',
    severity: info,
    message: ({ remoteAddr }) => `Edge connected from ${remoteAddr}`,
    details: ({ remoteAddr }) => ({ remote_addr: remoteAddr }),
  },
  'edge-disconnected': {
    category: 'edge',
    severity: info,
    message: ({ remoteAddr }) => `Edge disconnected from ${remoteAddr}`,
    details: ({ remoteAddr, reason }) => ({ remote_addr: remoteAddr, reason }),
  },
  'edge-connection-failed': {
    category: 'edge',
    severity: warning,
    limited: true,
    message: ({ remoteAddr }) => `Edge connection failed: control stream error from ${remoteAddr}`,
    details: ({ remoteAddr, reason }) => ({ remote_addr: remoteAddr, reason }),
  },
  'version-mismatch': {
    category: 'edge',
    severity: warning,
    limited: true,
    message: ({ edgeVersion, relayVersion }) =>
      `Protocol version mismatch (edge=${edgeVersion}, relay=${relayVersion})`,
    details: (event) => ({
      edge_version: event.edgeVersion,
      relay_version: event.relayVersion,
      remote_addr: event.remoteAddr,
    }),
  },
  'per-ip-cap-exceeded': {
    category: 'edge',
    severity: warning,
    limited: true,
    message: (event) =>
      `Connection rejected: per-IP cap exceeded (${event.activeConnections} active from ${event.remoteIp})`,
    details: (event) => ({
      ...dosSuspect,
      remote_addr: event.remoteAddr,
      remote_ip: event.remoteIp,
      active_connections: event.activeConnections,
      cap: event.cap,
    }),
  },
  'accept-failed': {
    category: 'edge',
    severity: warning,
    limited: true,
    message: ({ error }) => `QUIC connection accept failed: ${error}`,
    details: ({ error, bindAddr }) => ({ error, bind_addr: bindAddr }),
  },
  'tunnel-active': {
    category: 'tunnel',
    severity: info,
    message: () => 'Tunnel active (both sides bound)',
    details: ({ ingress, egress }) => ({ ...edge('ingress', ingress), ...edge('egress', egress) }),
  },
  'tunnel-waiting': {
    category: 'tunnel',
    severity: info,
    message: ({ direction }) => `Tunnel waiting: ${direction === 'ingress' ? 'Ingress' : 'Egress'} side bound`,
    details: ({ direction }) => ({ direction }),
  },
  'tunnel-unbound': {
    category: 'tunnel',
    severity: info,
    message: () => 'Tunnel unbound by edge',
    details: ({ direction }) => ({ direction }),
  },
  'tunnel-down': {
    category: 'tunnel',
    severity: warning,
    message: () => 'Tunnel down: edge disconnected',
    details: ({ direction }) => ({ direction }),
  },
  'tunnel-closed': {
    category: 'tunnel',
    severity: info,
    message: ({ cause }) => `Tunnel closed: ${cause}`,
    details: ({ cause }) => ({ reason: cause }),
  },
  'bind-rejected': {
    category: 'tunnel',
    severity: warning,
    limited: true,
    message: () => 'Tunnel bind rejected: invalid token',
    details: ({ remoteAddr, direction, reason }) => ({
      remote_addr: remoteAddr,
      direction,
      // The text names a wrong token. Other reasons have the same text, so that only `reason` distinguishes them.
      ...(reason === 'invalid-token' ? {} : { reason }),
    }),
  },
  'bind-cap-exceeded': {
    category: 'tunnel',
    severity: warning,
    limited: true,
    message: () => 'Tunnel bind rejected: per-connection cap exceeded',
    details: ({ remoteAddr, activeBinds, cap }) => ({
      ...dosSuspect,
      remote_addr: remoteAddr,
      active_binds: activeBinds,
      cap,
    }),
  },
  'leg-replaced': {
    category: 'tunnel',
    severity: warning,
    message: () => 'Tunnel leg replaced by a new connection',
    details: ({ direction, oldEdge, newEdge }) => ({ direction, ...edge('old', oldEdge), ...edge('new', newEdge) }),
  },
  'leg-held': {
    category: 'tunnel',
    severity: warning,
    limited: true,
    message: () => 'Tunnel bind rejected: leg held by a live edge',
    details: ({ direction, remoteAddr, holder, reason }) => ({
      direction,
      remote_addr: remoteAddr,
      ...edge('holder', holder),
      ...(reason === 'leg-held' ? {} : { reason }),
    }),
  },
  'datagrams-dropped': {
    category: 'tunnel',
    severity: warning,
    message: ({ reason }) => `Datagrams dropped: ${reason}`,
    details: ({ reason, ingress, egress, windowSecs }) => ({
      reason,
      count: ingress + egress,
      from_ingress: ingress,
      from_egress: egress,
      window: windowSecs,
    }),
  },
  'streams-refused': {
    category: 'tunnel',
    severity: warning,
    message: ({ reason }) => `TCP connections refused: ${reason}`,
    details: ({ reason, count, windowSecs }) => ({ reason, count, window: windowSecs }),
  },
};

export function eventText(event: RelayEvent): EventText {
  if (!isOwn(event)) return linkEventText(event);
  const text = texts[event.kind] as Text<OwnKind>;
  return {
    category: text.category,
    severity: text.severity,
    message: text.message(event),
    ...('tunnelId' in event && event.tunnelId !== null && { flowId: event.tunnelId }),
    ...(text.details !== undefined && { details: text.details(event) }),
  };
}

/** The fields of an event's log line that name what it is about. */
export function subjectOf({ event, report }: RaisedEvent<RelayEvent>): LogFields {
  const tunnel = report.flowId === undefined ? {} : { tunnel_id: report.flowId };
  // The event's own text says these two; the constant message of a log line does not.
  if (event.kind === 'bind-rejected') return { ...tunnel, reason: event.reason };
  if (event.kind === 'accept-failed') return { ...tunnel, remote_ip: event.remoteIp };
  return tunnel;
}

/** Whether its table entry says `limited`. */
export function isLimited(event: RelayEvent): boolean {
  return isOwn(event) && texts[event.kind].limited === true;
}

function isOwn(event: RelayEvent): event is OwnEvent {
  return Object.hasOwn(texts, event.kind);
}

function edge(name: string, { edgeId, remoteAddr }: EdgeRef): Details {
  return { [`${name}_edge_id`]: edgeId, [`${name}_remote_addr`]: remoteAddr };
}
