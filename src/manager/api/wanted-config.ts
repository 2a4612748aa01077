import type { Fleet, LegView, TunnelView } from '../fleet.ts';

/** The wanted config of a node, in the keys of an edge's config file; a relay only holds authorisations. */
export async function wantedConfig(fleet: Fleet, nodeId: string): Promise<Record<string, unknown>> {
  const legs = (await fleet.nodes.legs(nodeId)).filter(({ want }) => want === 'present');
  const tunnels = await Promise.all(
    legs.flatMap((leg) => (leg.tunnel_id === null ? [] : [wantedTunnel(fleet, leg.tunnel_id, leg)])),
  );
  const flows = await Promise.all(legs.flatMap(({ flow_id }) => (flow_id === null ? [] : [fleet.flows.get(flow_id)])));
  return { tunnels, ...(flows.length > 0 && { flows: flows.map(({ config }) => config) }) };
}

async function wantedTunnel(fleet: Fleet, id: string, { role }: LegView): Promise<Record<string, unknown>> {
  const tunnel = await fleet.tunnels.get(id);
  return { id, name: tunnel.name, protocol: tunnel.protocol, ...sideOf(tunnel, role) };
}

/** The source binds `egress` on the wire: data leaves its network there. */
function sideOf(tunnel: TunnelView, role: LegView['role']): Record<string, unknown> {
  const relay_addrs = tunnel.relays.map(({ relay_addr }) => relay_addr);
  if (role === 'ingress') return { direction: 'egress', local_addr: tunnel.source_listen, relay_addrs };
  if (role === 'egress') return { direction: 'ingress', local_addr: tunnel.destination_forward, relay_addrs };
  return { authorized: true };
}
