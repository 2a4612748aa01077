import { healthSchema } from '../../edge/admin/edge-schemas.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import { tunnelsSchema, type RelayTunnelReport } from '../../relay/admin/relay-schemas.ts';
import { lossWords, rttWords } from '../status/units.ts';
import type { DemoWorld } from './demo-config.ts';

type TunnelRow = RelayTunnelReport;

/** The state of the demo's tunnels as their relay reports it. */
export async function readTunnels({ apiAddr }: DemoWorld): Promise<readonly TunnelRow[]> {
  const answer = await fetch(`http://${formatHostPort(apiAddr)}/api/v1/tunnels`);
  return tunnelsSchema.parse(await answer.json()).tunnels;
}

/** Whether both edges report so many tunnels as up. The relay reports that earlier. */
export async function areEdgesReady({ edgeApis }: DemoWorld, tunnels: number): Promise<boolean> {
  const answers = await Promise.all(
    Object.values(edgeApis).map((api) => fetch(`http://${formatHostPort(api)}/health`)),
  );
  const healths = await Promise.all(answers.map(async (answer) => healthSchema.parse(await answer.json())));
  return healths.every(({ active_tunnels: active }) => active === tunnels);
}

export const viewLegend = 'each second; round trip and loss of egress leg + ingress leg';

/** One line of the live view: what passed in the last second, and the relay's own figures of each leg. */
export function viewLine(tunnel: TunnelRow, rate: string): string {
  const paths = [tunnel.egress, tunnel.ingress].map((side) => side.leg?.path ?? null);
  const rtts = paths.map((path) => rttWords(path).padStart(6)).join(' + ');
  const losses = paths.map((path) => lossWords(path).padStart(6)).join(' + ');
  return `${tunnel.protocol} ${rate.padStart(14)}  ${rtts}  ${losses}  dropped ${droppedBy(tunnel)}`;
}

export function droppedBy({ drops }: TunnelRow): number {
  return Object.values(drops).reduce((sum, count) => sum + count, 0);
}
