import { FleetError } from '../fleet-error.ts';
import type { Fleet, LegView } from '../fleet.ts';

/** Names of the tunnels and flows that legs belong to, by leg. */
export async function legNames(fleet: Fleet, legs: readonly LegView[]): Promise<ReadonlyMap<string, string>> {
  const owners = new Map<string, Promise<string>>();
  const named = legs.map(async ({ id, tunnel_id, flow_id }): Promise<readonly [string, string]> => {
    const owner = tunnel_id ?? flow_id ?? '';
    const known = owners.get(owner) ?? nameOf(fleet, tunnel_id, flow_id);
    owners.set(owner, known);
    return [id, await known];
  });
  return new Map(await Promise.all(named));
}

async function nameOf(fleet: Fleet, tunnelId: string | null, flowId: string | null): Promise<string> {
  try {
    if (tunnelId !== null) return (await fleet.tunnels.get(tunnelId)).name;
    return flowId === null ? '' : (await fleet.flows.get(flowId)).name;
  } catch (error) {
    if (error instanceof FleetError && error.code === 'not_found') return tunnelId ?? flowId ?? '';
    throw error;
  }
}
