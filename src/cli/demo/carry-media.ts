import { z } from 'zod';
import { flowStatsSchema, type FlowStatsReport } from '../../edge/admin/flow-schemas.ts';
import type { Clock } from '../../lib/clock.ts';
import { formatHostPort, type HostPort } from '../../lib/host-port.ts';
import { CommandFailed } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import type { DemoWorld } from './demo-config.ts';
import { freePort } from './free-port.ts';
import { heavyMachineLoad } from './machine-load.ts';
import { makeTunnel, until, untilTunnelsRun } from './make-tunnels.ts';
import { startSrtSource } from './srt-source.ts';
import type { DemoPrograms } from './start-programs.ts';

const tunnelName = 'demo-media';
const passphrase = 'camera to edge';
const watchedSeconds = 3;
/** SRT data that fits a datagram of the tunnel, in whole transport packets. */
const payloadBytes = 1128;

/** At the far edge: out of the tunnel, to browsers. */
export const studioFlow = {
  id: 'studio',
  name: 'Studio',
  input: { type: 'srt', mode: 'listener', tunnel: tunnelName, latency_ms: 200 },
  outputs: [{ id: 'browsers', name: 'Browsers', type: 'webrtc', mode: 'whep_server', max_viewers: 20 }],
} as const;

/**
 * Sends a test picture by SRT into a flow of the egress edge, through a tunnel, out of a flow of the ingress edge for
 * browsers. The manager makes flows and tunnel. The picture goes on until the result is disposed of.
 */
export async function carryMedia(
  world: DemoWorld,
  programs: DemoPrograms,
  clock: Clock,
  terminal: Terminal,
): Promise<AsyncDisposable> {
  const { manager, nodes } = programs;
  await makeTunnel(world, programs, { name: tunnelName, protocol: 'udp', listen: 'flow', forward: 'flow' });
  await untilTunnelsRun(world, 3, clock);
  const { host } = world.relayAddr;
  const camera = { host, port: await freePort(host) };
  await manager.createFlow(nodes.ingress, studioFlow);
  await manager.createFlow(nodes.egress, cameraFlow(camera));
  terminal.out('\na test picture: SRT, flow at the egress edge, tunnel, flow at the ingress edge\n');
  await using stack = new AsyncDisposableStack();
  stack.use(await startSrtSource(camera, passphrase, clock));
  const arrives = async (): Promise<boolean> => ((await readStudio(world))?.input?.bitrate_bps ?? 0) > 0;
  await until(arrives, clock, 'no picture has come to the flow at the ingress edge');
  for (let second = 1; second <= watchedSeconds; second++) {
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, 1000));
    terminal.out(`media ${describe(await readStudio(world))}\n`);
  }
  const damage = continuityErrors(await readStudio(world));
  if (damage > 0 && heavyMachineLoad() === null)
    throw new CommandFailed(`the demo failed: ${damage} continuity errors in the picture`);
  return stack.move();
}

function cameraFlow(camera: HostPort): object {
  const output = { mode: 'caller', tunnel: tunnelName, latency_ms: 200, payload_size: payloadBytes };
  return {
    id: 'camera',
    name: 'Camera',
    input: { type: 'srt', mode: 'listener', local_addr: formatHostPort(camera), passphrase },
    outputs: [{ id: 'studio', name: 'Studio', type: 'srt', ...output }],
  };
}

/** The studio's flow as its edge reports it; null before the manager has pushed it. */
async function readStudio({ edgeApis }: DemoWorld): Promise<FlowStatsReport | null> {
  const answer = await fetch(`http://${formatHostPort(edgeApis.ingress)}/api/v1/flows`);
  const flows = z.array(flowStatsSchema).parse(await answer.json());
  return flows.find(({ flow_id: id }) => id === studioFlow.id) ?? null;
}

function describe(flow: FlowStatsReport | null): string {
  const rate = ((flow?.input?.bitrate_bps ?? 0) / 1000).toFixed(0).padStart(4);
  return `${rate} kbit/s  ${flow?.health ?? 'not there'}, ${continuityErrors(flow)} continuity errors`;
}

function continuityErrors(flow: FlowStatsReport | null): number {
  return flow?.tr101290?.['continuity_errors'] ?? 0;
}
