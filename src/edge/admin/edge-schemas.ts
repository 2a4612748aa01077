import { z } from 'zod';
import { pastEventSchema } from '../../admin/past-event.ts';
import { pathReportSchema } from '../../admin/path-report.ts';
import { DIRECTIONS, TUNNEL_PROTOCOLS } from '../../protocol/tunnel/leg.ts';

const count = z.int().min(0);
const text = z.string();
const states = ['connecting', 'waiting', 'ready', 'down', 'stopped'] as const;

/**
 * The answers of an edge's REST API; field names and meanings are docs/protocol/manager.md §9 with what is added here.
 */
export const healthSchema = z.object({
  status: z.enum(['ok', 'degraded']),
  reasons: z.array(text).readonly(),
  version: text,
  uptime_secs: z.number().min(0),
  active_tunnels: count,
  total_tunnels: count,
  api_addr: text.nullable(),
  capabilities: z.array(text).readonly(),
});

/** One of the one or two relays of a tunnel. */
const relaySchema = z.object({
  relay_addr: text,
  state: z.enum(states),
  /** It has stopped acknowledging what is sent. */
  suspect: z.boolean(),
  /**
   * Packets come from it, but no answers to what is sent: the way to it is blocked. So it stays when that has ended the
   * connection, while no attempt brings an answer or an error.
   */
  one_way: z.boolean(),
  /** Why the last attempt or connection ended; null while the bind is held. */
  last_problem: text.nullable(),
  path: pathReportSchema.nullable(),
});

/** Once nothing waits, in = out + the sum of drops. */
const directionSchema = z.object({
  datagrams_in: count,
  datagrams_out: count,
  drops: z.record(z.string(), count).readonly(),
});

/** A fault that stands until something works again. */
const troubleSchema = z.object({
  /**
   * Where it is: the local program, this machine's way to it, several local programs at one UDP port, or what comes
   * from the other edge (the keys differ). `far…`: the other edge reports it of its own end.
   */
  kind: z.enum(['local', 'machine', 'senders', 'key', 'far', 'far-machine', 'far-key']),
  /** Of the last time, for people. */
  cause: text,
  count,
  since: z.iso.datetime({ offset: true }),
  last_at: z.iso.datetime({ offset: true }),
});

export const tunnelSchema = z.object({
  id: text,
  name: text,
  protocol: z.enum(TUNNEL_PROTOCOLS),
  mode: z.literal('relay'),
  direction: z.enum(DIRECTIONS),
  local_addr: text,
  state: z.enum(states),
  relay_addrs: z.array(text).readonly(),
  active_relay_idx: count.nullable(),
  active_relay_addr: text.nullable(),
  stats: z.object({
    packets_sent: count,
    packets_received: count,
    bytes_sent: count,
    bytes_received: count,
    bitrate_in_bps: z.number().min(0),
    bitrate_out_bps: z.number().min(0),
    send_errors: count,
    decrypt_errors: count,
    connections_total: count,
    connections_active: count,
  }),
  relay_rtt_ms: z.number().min(0).nullable(),
  path_mtu: count.nullable(),
  /** Of both directions; see these for the sums. */
  drops: z.record(z.string(), count).readonly(),
  /** Datagrams from local programs, and what the QUIC connections to relays took of them. */
  outgoing: directionSchema,
  /** Datagrams from relays, and what was given to local programs of them. */
  incoming: directionSchema,
  /** TCP connections that were not carried, by reason. */
  refused_connections: z.record(z.string(), count).readonly(),
  relays: z.array(relaySchema).readonly(),
  troubles: z.array(troubleSchema).readonly(),
});

/** Everything that explains why a tunnel of this edge carries traffic, badly, or none. */
export const tunnelFactsSchema = z.object({
  tunnel_id: text,
  at: z.iso.datetime({ offset: true }),
  edge_id: text,
  edge_version: text,
  tunnel: tunnelSchema,
  /** Files with secrets that every user of this machine can read. */
  exposed_files: z.array(text).readonly(),
  /** That this process stood still lately, for people; null when it did not. */
  stall: text.nullable(),
  /** That this process had no file descriptor left lately, for people; null when it had. */
  descriptor_shortage: text.nullable(),
  /** How late the event loop was at worst within the last 20 s. */
  loop_lag_ms: z.number().min(0),
  /** Of this tunnel, oldest first, the latest few. */
  events: z.array(pastEventSchema).readonly(),
});

export type EdgeTunnelReport = z.output<typeof tunnelSchema>;
export type TroubleReport = z.output<typeof troubleSchema>;
export type EdgeRelayReport = z.output<typeof relaySchema>;
export type EdgeTunnelFacts = z.output<typeof tunnelFactsSchema>;
