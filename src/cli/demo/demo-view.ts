import { z } from 'zod';
import { tunnelSchema, type RelayLegReport, type RelayTunnelReport } from '../../relay/admin/relay-schemas.ts';
import { lossWords, rttWords } from '../status/units.ts';
import type { TcpProgress } from './tcp-exchange.ts';
import type { UdpProgress } from './udp-flow.ts';

const tunnelsAnswer = z.array(tunnelSchema);
export type TunnelRow = RelayTunnelReport;

/** The state of the demo's tunnels as their relay tells it. */
export async function readTunnels(api: string): Promise<readonly TunnelRow[]> {
  const answer = await fetch(`${api}/api/v1/tunnels`);
  return tunnelsAnswer.parse(await answer.json());
}

/** One line of the live view: what passed in the last `seconds`, and the relay's own figures of each leg. */
export function viewLine(
  traffic: { readonly tcp: TcpProgress; readonly udp: UdpProgress },
  before: { readonly tcpBytes: number; readonly udpPackets: number },
  tunnels: readonly TunnelRow[],
  seconds: number,
): string {
  const megabytes = (traffic.tcp.receivedBytes - before.tcpBytes) / 1e6 / seconds;
  const packets = (traffic.udp.received - before.udpPackets) / seconds;
  const rates = `tcp ${megabytes.toFixed(1).padStart(6)} MB/s   udp ${packets.toFixed(0).padStart(5)} packets/s`;
  return [rates, ...tunnels.map(describeTunnel)].join('   ');
}

function describeTunnel(tunnel: TunnelRow): string {
  const legs = (['egress', 'ingress'] as const).map((name) => describeLeg(name, tunnel[name].leg));
  return `[${tunnel.protocol} ${legs.join(', ')}, dropped ${droppedBy(tunnel)}]`;
}

function describeLeg(name: string, leg: RelayLegReport | null): string {
  return leg === null ? `${name} absent` : `${name} rtt ${rttWords(leg.path)} loss ${lossWords(leg.path)}`;
}

export function droppedBy({ drops }: TunnelRow): number {
  return Object.values(drops).reduce((sum, count) => sum + count, 0);
}
