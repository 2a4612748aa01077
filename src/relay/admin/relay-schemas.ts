import { z } from 'zod';
import { pastEventSchema } from '../../admin/past-event.ts';
import { pathReportSchema } from '../../admin/path-report.ts';
import { DIRECTIONS, TUNNEL_PROTOCOLS } from '../../protocol/tunnel/leg.ts';

const count = z.int().min(0);
const text = z.string();
const time = z.iso.datetime({ offset: true });
const drops = z.record(z.string(), count).readonly();

/** The link to the manager, in the fields that field relays have. */
const managerLinkSchema = z.object({
  connected: z.boolean(),
  /** Since the link was lost, or since the start; 0 while it is up. */
  disconnected_secs: count,
  reconnecting: z.boolean(),
});

/** The answers of the relay's REST API. Names and meanings are those of docs/protocol/manager.md §3, and of §8. */
export const healthSchema = z.object({
  status: z.enum(['ok', 'degraded']),
  reasons: z.array(text).readonly(),
  version: text,
  uptime_secs: z.number().min(0),
  connected_edges: count,
  active_tunnels: count,
  total_tunnels: count,
  total_bytes_forwarded: count,
  peak_tunnels: count,
  peak_edges: count,
  connections_total: count,
  api_addr: text,
  quic_addr: text,
  public_quic_addr: text.nullable(),
  capabilities: z.array(text).readonly(),
  /** Not there without a manager in the config. */
  manager: managerLinkSchema.optional(),
});

export const statsSchema = z.object({
  connected_edges: count,
  active_tunnels: count,
  total_tunnels: count,
  total_bytes_ingress: count,
  total_bytes_egress: count,
  total_bytes_forwarded: count,
  total_bandwidth_bps: z.number().min(0),
  total_tcp_streams: count,
  active_tcp_streams: count,
  total_udp_datagrams: count,
  peak_tunnels: count,
  peak_edges: count,
  connections_total: count,
  uptime_secs: z.number().min(0),
  /** Not there without a manager in the config. */
  manager: managerLinkSchema.optional(),
});

/** What one leg has sent: `in` came from it, `out` was accepted towards the other leg (conformance S5). */
const ledgerSchema = z.object({
  datagrams_in: count,
  datagrams_out: count,
  datagram_bytes_in: count,
  datagram_bytes_out: count,
  stream_bytes: count,
  drops,
});

const legSchema = z.object({
  edge_id: text.nullable(),
  remote_addr: text,
  bound_at: time,
  /** 0 for an edge that has not said hello. */
  protocol_version: count,
  software_version: text.nullable(),
  /** What the edge says is wrong at its end: `local` (its program), `key` (it cannot open what arrives). */
  troubles: z.array(text).readonly(),
  path: pathReportSchema,
});

const sideSchema = z.object({ leg: legSchema.nullable(), sent: ledgerSchema });

export const tunnelSchema = z.object({
  tunnel_id: text,
  /** What the relay's config calls it; null where it has no name for it. */
  name: text.nullable(),
  protocol: z.enum(TUNNEL_PROTOCOLS),
  status: z.enum(['active', 'waiting_egress', 'waiting_ingress']),
  ingress_edge_id: text.nullable(),
  egress_edge_id: text.nullable(),
  ingress_remote_addr: text.nullable(),
  egress_remote_addr: text.nullable(),
  stats: z.object({
    bytes_ingress: count,
    bytes_egress: count,
    tcp_streams_total: count,
    tcp_streams_active: count,
    udp_datagrams_total: count,
    uptime_secs: z.number().min(0),
  }),
  drops,
  status_since: time,
  ingress: sideSchema,
  egress: sideSchema,
});

export const edgeSchema = z.object({
  edge_id: text,
  remote_addr: text,
  connected_at: time,
  protocol_version: count,
  software_version: text.nullable(),
  held_tunnels: count,
  path: pathReportSchema,
});

/** What became of `DELETE /api/v1/tunnels/{id}`; `DELETE /api/v1/tunnels/{id}/revocation` takes it back. */
export const deletedSchema = z.object({
  deleted: z.literal(true),
  tunnel_id: text,
  /** Legs that were bound; their edges got a message. */
  peers_notified: count,
  /** The tunnel is refused from now on, until it is authorised again or unrevoked. */
  revoked: z.literal(true),
});

const refusalSchema = z.object({
  at: time,
  direction: z.enum(DIRECTIONS),
  reason: text,
  edge_id: text.nullable(),
  remote_addr: text,
});

/** Refused binds of all tunnels, those that nobody authorised included. */
export const refusalsSchema = z.object({
  /** The last one of each leg since its last success, oldest first. */
  refusals: z.array(refusalSchema.extend({ tunnel_id: text, name: text.nullable() })).readonly(),
});

/** Tunnels that may be bound, those that nobody holds included. */
export const authorizedSchema = z.object({
  tunnels: z
    .array(z.object({ tunnel_id: text, name: text.nullable(), source: z.enum(['config', 'manager']) }))
    .readonly(),
});

/** Everything that explains why a tunnel carries traffic, badly, or none; also of a tunnel that nobody holds. */
export const tunnelFactsSchema = z.object({
  tunnel_id: text,
  at: time,
  relay_version: text,
  relay_protocol_version: count,
  /** `unknown`: no authorisation is stored. */
  authorisation: z.enum(['authorised', 'revoked', 'unknown']),
  require_bind_auth: z.boolean(),
  not_ready_reasons: z.array(text).readonly(),
  /** Files with secrets that every user of this machine can read. */
  exposed_files: z.array(text).readonly(),
  /** That this process stood still lately, for people; null when it did not. */
  stall: text.nullable(),
  /** That this process had no file descriptor left lately, for people; null when it had. */
  descriptor_shortage: text.nullable(),
  /** How late the event loop was at worst within the last 20 s. */
  loop_lag_ms: z.number().min(0),
  /** Whether edges get through to the relay at all: counts since it started. */
  reached: z.object({
    /** Where it listens now, `ip:port`. */
    quic_addrs: z.array(text).readonly(),
    uptime_secs: z.number().min(0),
    /** UDP packets that came. */
    packets: count,
    /** Connections that were begun, and those that were completed. */
    handshakes: count,
    connections: count,
  }),
  tunnel: tunnelSchema.nullable(),
  /** Data streams (TCP connections) that were refused, by reason: of this tunnel, and of all. */
  refused_streams: z.object({ tunnel: drops, relay: drops }),
  /** The last refused bind of each leg since its last success. */
  refusals: z.array(refusalSchema).readonly(),
  /** Of this tunnel, oldest first, the latest few. */
  events: z.array(pastEventSchema).readonly(),
  /** About no tunnel: of connections that may have been about this tunnel or another. Oldest first, the latest few. */
  other_events: z.array(pastEventSchema).readonly(),
});

export const tunnelsSchema = z.object({ tunnels: z.array(tunnelSchema).readonly() });
export const edgesSchema = z.object({ edges: z.array(edgeSchema).readonly() });

/** What the manager gets in `health`, and the link to it. */
export type RelayHealthReport = z.output<typeof healthSchema>;
export type ManagerLinkReport = z.output<typeof managerLinkSchema>;
export type RelayTunnelReport = z.output<typeof tunnelSchema>;
export type RelayEdgeReport = z.output<typeof edgeSchema>;
export type RelayLedgerReport = z.output<typeof ledgerSchema>;
export type TunnelFacts = z.output<typeof tunnelFactsSchema>;
export type RelayAuthorized = z.output<typeof authorizedSchema>;
export type RelayRefusals = z.output<typeof refusalsSchema>;
export type RelayStatsReport = z.output<typeof statsSchema>;
