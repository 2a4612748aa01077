import { z } from 'zod';
import type { Fleet, LegView, RunningState, TunnelView } from '../fleet.ts';
import type { FleetMirror } from '../live/fleet-mirror.ts';
import type { tunnelDetailSchema, tunnelSideSchema } from '../views/tunnels.ts';
import { legWire, tunnelWire } from '../views/wire.ts';

type Side = z.input<typeof tunnelSideSchema>;

const number = z.number().nullable().catch(null).default(null);
const word = z.string().nullable().catch(null).default(null);
const dropsSchema = z.record(z.string(), z.number()).catch({}).default({});

/** The part of an edge's stats about a tunnel (docs/protocol/manager.md §9). */
const edgeTunnelSchema = z.object({
  id: z.string(),
  state: word,
  relay_rtt_ms: number,
  relay_loss_percent: number,
  active_relay_addr: word,
  drops: dropsSchema,
  stats: z
    .object({ bitrate_in_bps: number, bitrate_out_bps: number })
    .catch({ bitrate_in_bps: null, bitrate_out_bps: null })
    .default({ bitrate_in_bps: null, bitrate_out_bps: null }),
});

/** … and a relay's (docs/protocol/manager.md §3). */
const relayTunnelSchema = z.object({ tunnel_id: z.string(), status: word, drops: dropsSchema });

const frameSchema = z.object({ tunnels: z.array(z.unknown()).catch([]).default([]) });

/** The tunnel, its legs, and the last word of each of its nodes about it. */
export async function tunnelDetail(
  tunnel: TunnelView,
  fleet: Fleet,
  mirror: FleetMirror,
): Promise<z.input<typeof tunnelDetailSchema>> {
  const nodes = await mirror.nodes();
  const sides = await Promise.all(
    tunnel.legs.filter(({ want }) => want === 'present').map((leg) => sideOf(tunnel, leg, fleet)),
  );
  return {
    ...tunnelWire(tunnel, nodes),
    legs: tunnel.legs.map((leg) => legWire(leg, tunnel.name, nodes)),
    sides,
  };
}

async function sideOf(tunnel: TunnelView, { node_id, role }: LegView, fleet: Fleet): Promise<Side> {
  const latest = await fleet.nodes.stats(node_id).catch(() => null);
  const silent: Side = {
    ...{ node_id, role, at: latest?.at ?? null, running: 'unknown', detail: null, rtt_ms: null, loss_percent: null },
    ...{ bits_in_per_sec: null, bits_out_per_sec: null, active_relay_addr: null, drops: {} },
  };
  if (latest === null) return silent;
  const frame = frameSchema.safeParse(latest.payload);
  const tunnels = frame.success ? frame.data.tunnels : [];
  return role === 'relay' || role === 'secondary_relay'
    ? relaySide(tunnels, tunnel.id, silent)
    : edgeSide(tunnels, tunnel.id, silent);
}

function edgeSide(tunnels: readonly unknown[], id: string, silent: Side): Side {
  const found = tunnels.map((one) => edgeTunnelSchema.safeParse(one).data).find((one) => sameId(one?.id, id));
  if (found === undefined) return { ...silent, running: 'down', detail: 'The node does not run it.' };
  return {
    ...silent,
    running: edgeState(found.state),
    rtt_ms: found.relay_rtt_ms,
    loss_percent: found.relay_loss_percent,
    bits_in_per_sec: found.stats.bitrate_in_bps,
    bits_out_per_sec: found.stats.bitrate_out_bps,
    active_relay_addr: found.active_relay_addr,
    drops: found.drops,
  };
}

function edgeState(state: string | null): RunningState {
  const known: readonly RunningState[] = ['ready', 'waiting', 'connecting', 'down', 'stopped'];
  return known.find((one) => one === state) ?? 'unknown';
}

function relaySide(tunnels: readonly unknown[], id: string, silent: Side): Side {
  const found = tunnels.map((one) => relayTunnelSchema.safeParse(one).data).find((one) => sameId(one?.tunnel_id, id));
  if (found === undefined) return { ...silent, running: 'waiting', detail: 'No edge is bound here.' };
  if (found.status === 'active') return { ...silent, running: 'ready', drops: found.drops };
  const missing = found.status === 'waiting_egress' ? 'source' : 'destination';
  return { ...silent, running: 'waiting', detail: `The ${missing} is not bound here.`, drops: found.drops };
}

function sameId(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}
