import { z } from 'zod';
import { tunnelSchema as edgeTunnelSchema, type EdgeTunnelReport } from '../../edge/admin/edge-schemas.ts';
import { AppError } from '../../lib/app-error.ts';
import { formatHostPort, type HostPort } from '../../lib/host-port.ts';
import { readTunnels } from './demo-view.ts';
import type { DemoWorld } from './demo-config.ts';

/** What came to one of the three programs, left it, and was dropped there by reason. */
export interface Passage {
  readonly came: number;
  readonly left: number;
  readonly drops: Readonly<Record<string, number>>;
}

/** The UDP packets of the demo at each program on their way. All counts only grow. */
export interface UdpPassages {
  readonly egress: Passage;
  readonly relay: Passage;
  readonly ingress: Passage;
}

const edgeTunnelsSchema = z.array(edgeTunnelSchema);

/** Asks all three programs. Throws AppError `bug` where one of them does not know the UDP tunnel. */
export async function readPassages(world: DemoWorld): Promise<UdpPassages> {
  const [relay, egress, ingress] = await Promise.all([
    readTunnels(world),
    readEdge(world.edgeApis.egress),
    readEdge(world.edgeApis.ingress),
  ]);
  const { sent } = theUdpOne(relay).egress;
  return {
    egress: ofEdge(egress.outgoing),
    relay: { came: sent.datagrams_in, left: sent.datagrams_out, drops: sent.drops },
    ingress: ofEdge(ingress.incoming),
  };
}

/** Where packets were lost of those that were `sent` between two readings: a line for each place. */
export function lostWhere(before: UdpPassages, after: UdpPassages, sent: number, received: number): readonly string[] {
  const [egress, relay, ingress] = (['egress', 'relay', 'ingress'] as const).map((name) =>
    difference(before[name], after[name]),
  ) as [Passage, Passage, Passage];
  return [
    between('on the way to the egress edge, whose socket was full', sent, egress.came),
    ...dropped('the egress edge', egress),
    between('between the egress edge and the relay', egress.left, relay.came),
    ...dropped('the relay', relay),
    between('between the relay and the ingress edge', relay.left, ingress.came),
    ...dropped('the ingress edge', ingress),
    between('on the way from the ingress edge, as this program did not read in time', ingress.left, received),
  ].filter((line) => line !== null);
}

function between(where: string, left: number, came: number): string | null {
  return left > came ? line(left - came, where) : null;
}

function dropped(name: string, { drops }: Passage): string[] {
  return Object.entries(drops)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => line(count, `dropped by ${name}: ${reason}`));
}

function line(count: number, text: string): string {
  return `${String(count).padStart(8)} ${text}`;
}

function difference(before: Passage, after: Passage): Passage {
  const drops = Object.entries(after.drops).map(([reason, count]) => [reason, count - (before.drops[reason] ?? 0)]);
  return {
    came: after.came - before.came,
    left: after.left - before.left,
    drops: Object.fromEntries(drops) as Passage['drops'],
  };
}

async function readEdge(api: HostPort): Promise<EdgeTunnelReport> {
  const answer = await fetch(`http://${formatHostPort(api)}/api/v1/tunnels`);
  return theUdpOne(edgeTunnelsSchema.parse(await answer.json()));
}

function theUdpOne<T extends { readonly protocol: string }>(tunnels: readonly T[]): T {
  const found = tunnels.find(({ protocol }) => protocol === 'udp');
  if (found === undefined) throw new AppError('bug', 'the UDP tunnel is not there');
  return found;
}

function ofEdge({ datagrams_in: came, datagrams_out: left, drops }: EdgeTunnelReport['outgoing']): Passage {
  return { came, left, drops };
}
