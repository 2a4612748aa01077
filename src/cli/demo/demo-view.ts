import { healthSchema } from '../../edge/admin/edge-schemas.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import { tunnelsSchema, type RelayTunnelReport } from '../../relay/admin/relay-schemas.ts';
import { lossWords, rttWords } from '../status/units.ts';
import type { DemoWorld } from './demo-config.ts';
import type { TcpProgress } from './tcp-exchange.ts';
import type { UdpProgress } from './udp-flow.ts';

export type TunnelRow = RelayTunnelReport;

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

export const viewLegend = 'each second; round trips and loss: egress leg + ingress leg, as the relay sees them';

/** One line of the live view: what passed in the last `seconds`, and the relay's own figures of each leg. */
export function viewLine(
  traffic: { readonly tcp: TcpProgress; readonly udp: UdpProgress },
  before: { readonly tcpBytes: number; readonly udpPackets: number },
  tunnels: readonly TunnelRow[],
  seconds: number,
): string {
  const megabytes = (traffic.tcp.receivedBytes - before.tcpBytes) / 1e6 / seconds;
  const packets = (traffic.udp.received - before.udpPackets) / seconds;
  const rates = { tcp: `${megabytes.toFixed(1).padStart(5)} MB/s`, udp: `${packets.toFixed(0).padStart(4)} packets/s` };
  const columns = tunnels
    .toSorted((a, b) => a.protocol.localeCompare(b.protocol))
    .map((tunnel) => {
      const paths = [tunnel.egress, tunnel.ingress].map((side) => side.leg?.path ?? null);
      const rtts = paths.map((path) => rttWords(path).padStart(6)).join(' + ');
      return `${tunnel.protocol} ${rates[tunnel.protocol]} ${rtts}  ${paths.map(lossWords).join(' + ')}`;
    });
  const dropped = tunnels.map(droppedBy).reduce((a, b) => a + b, 0);
  return [...columns, `dropped ${dropped}`].join(' | ');
}

export function droppedBy({ drops }: TunnelRow): number {
  return Object.values(drops).reduce((sum, count) => sum + count, 0);
}
