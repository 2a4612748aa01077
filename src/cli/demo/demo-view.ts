import { z } from 'zod';
import type { TcpProgress } from './tcp-exchange.ts';
import type { UdpProgress } from './udp-flow.ts';

const leg = z.object({
  rtt_ms: z.number().nullable(),
  packets_sent: z.number().nullable(),
  packets_lost: z.number().nullable(),
});

/** What the view reads of the relay's `GET /api/v1/tunnels`. */
const tunnelsAnswer = z.array(
  z.object({
    protocol: z.enum(['tcp', 'udp']),
    status: z.string(),
    drops: z.record(z.string(), z.number()),
    legs: z.object({ ingress: leg.nullable(), egress: leg.nullable() }),
  }),
);
export type TunnelRow = z.output<typeof tunnelsAnswer>[number];

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
  const legs = (['egress', 'ingress'] as const).map((name) => describeLeg(name, tunnel.legs[name]));
  return `[${tunnel.protocol} ${legs.join(', ')}, dropped ${droppedBy(tunnel)}]`;
}

function describeLeg(name: string, stats: TunnelRow['legs']['ingress']): string {
  if (stats === null) return `${name} absent`;
  const rtt = stats.rtt_ms === null ? '?' : stats.rtt_ms.toFixed(1);
  const loss =
    stats.packets_sent === null || stats.packets_lost === null || stats.packets_sent === 0
      ? '?'
      : ((100 * stats.packets_lost) / stats.packets_sent).toFixed(1);
  return `${name} rtt ${rtt} ms loss ${loss} %`;
}

export function droppedBy({ drops }: TunnelRow): number {
  return Object.values(drops).reduce((sum, count) => sum + count, 0);
}
