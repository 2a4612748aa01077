import { FaultyNetwork } from '../network/faulty-network.ts';
import { pause } from '../pause.ts';
import { freeUdpPort } from '../peers/free-udp-port.ts';
import { LocalUdpSocket } from '../peers/local-udp.ts';
import { srtReceiver, srtSender } from '../peers/srt-live-transmit.ts';
import { TsSource } from '../peers/ts-source.ts';
import { FlowBed } from '../programs/flow-bed.ts';
import { MachineWatch, type TrialMachine } from './machine-watch.ts';
import { NumberCheck, type NumberCount } from './number-check.ts';

export interface LossTrialOrder {
  readonly seconds: number;
  /** In each direction, 0 to 1. */
  readonly lossRate: number;
  readonly latencyMs: number;
}

export interface LossTrialResult extends NumberCount, TrialMachine {
  readonly sent: number;
  readonly keyRefreshes: number;
}

const passphrase = 'a secret of both';
/** The source sends 250 chunks of seven packets a second. */
const chunksPerSecond = 250;
const delayMs = 20;

/** Keys change four times in the trial. */
function refreshEvery(seconds: number): number {
  return Math.round((seconds * chunksPerSecond) / 5);
}

function lossy(port: number, lossRate: number): Promise<FaultyNetwork> {
  return FaultyNetwork.start({ target: { ip: '127.0.0.1', port }, faults: { lossRate, delayMs }, seed: port });
}

async function follow(seconds: number, look: () => void): Promise<void> {
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs) {
    look();
    await pause(100);
  }
}

/** libsrt sends, a flow receives: over a path that loses packets both ways, with key refreshes. */
export async function lossTowardsUs({ seconds, lossRate, latencyMs }: LossTrialOrder): Promise<LossTrialResult> {
  await using bed = await FlowBed.open();
  await using sink = await LocalUdpSocket.open();
  const [port, udp] = [await freeUdpPort(), await freeUdpPort()];
  const input = { type: 'srt', mode: 'listener', local_addr: `127.0.0.1:${port}`, passphrase, latency_ms: latencyMs };
  const tv = { id: 'tv', name: 'TV', type: 'udp', dest_addr: sink.addr };
  await bed.create({ id: 'rx', input, outputs: [tv] });
  await using path = await lossy(port, lossRate);
  const refresh = refreshEvery(seconds);
  const keys = `passphrase=${passphrase}&kmrefreshrate=${refresh}&kmpreannounce=${Math.round(refresh / 4)}`;
  await using _sender = srtSender(udp, path.address.port, `${keys}&latency=${latencyMs}`);
  await bed.event('rx', 'SRT input connected (mode=listener)');
  using source = new TsSource({ port: udp });
  const check = new NumberCheck();
  const machine = new MachineWatch([port, udp, path.address.port, Number(sink.addr.split(':')[1])]);
  const look = (): void => {
    machine.look();
    sink.receivedAtMs.splice(0);
    for (const datagram of sink.received.splice(0)) check.push(datagram);
  };
  await follow(seconds, look);
  source.pause();
  const { input: stats } = await settled(bed, 'rx');
  look();
  const keyRefreshes = Number(stats?.srt_stats?.['key_refreshes_received'] ?? 0);
  return { ...check.count, sent: source.packets, keyRefreshes, ...machine.result };
}

/** A flow sends, libsrt receives. */
export async function lossTowardsLibsrt({ seconds, lossRate, latencyMs }: LossTrialOrder): Promise<LossTrialResult> {
  await using bed = await FlowBed.open();
  const port = await freeUdpPort();
  await using receiver = srtReceiver(port, 'listener', `passphrase=${passphrase}&latency=${latencyMs}`);
  await using path = await lossy(port, lossRate);
  const refresh = refreshEvery(seconds);
  const keys = { passphrase, km_refresh_rate: refresh, km_pre_announce: Math.round(refresh / 4) };
  const remote = { mode: 'caller', remote_addr: `127.0.0.1:${path.address.port}`, latency_ms: latencyMs };
  const output = { id: 'out', name: 'Out', type: 'srt', ...remote, ...keys };
  const udp = await bed.create({ id: 'tx', input: { type: 'udp', bind_addr: '127.0.0.1:0' }, outputs: [output] });
  await bed.event('tx', "SRT output 'out' connected");
  using source = new TsSource({ port: udp });
  const check = new NumberCheck();
  const machine = new MachineWatch([port, udp, path.address.port]);
  const look = (): void => {
    machine.look();
    check.push(receiver.takeOutput());
  };
  await follow(seconds, look);
  source.pause();
  const { outputs } = await settled(bed, 'tx');
  // It keeps the last of its output to itself until it ends.
  receiver.kill('SIGTERM');
  await receiver.ends();
  look();
  const keyRefreshes = Number(outputs[0]?.srt_stats?.['key_refreshes_sent'] ?? 0);
  return { ...check.count, sent: source.packets, keyRefreshes, ...machine.result };
}

/** libsrt sends, a flow passes it on by SRT, libsrt receives: over two paths that each lose packets both ways. */
export async function lossThrough({ seconds, lossRate, latencyMs }: LossTrialOrder): Promise<LossTrialResult> {
  await using bed = await FlowBed.open();
  const [udp, into, out] = [await freeUdpPort(), await freeUdpPort(), await freeUdpPort()];
  await using receiver = srtReceiver(out, 'listener', `passphrase=${passphrase}&latency=${latencyMs}`);
  await using far = await lossy(out, lossRate);
  await using near = await lossy(into, lossRate);
  const refresh = refreshEvery(seconds);
  const ours = { km_refresh_rate: refresh, km_pre_announce: Math.round(refresh / 4) };
  const common = { type: 'srt', passphrase, latency_ms: latencyMs };
  const remote = { mode: 'caller', remote_addr: `127.0.0.1:${far.address.port}` };
  await bed.create({
    id: 'hub',
    input: { ...common, mode: 'listener', local_addr: `127.0.0.1:${into}` },
    outputs: [{ id: 'out', name: 'Out', ...common, ...remote, ...ours }],
  });
  const theirs = `kmrefreshrate=${refresh}&kmpreannounce=${Math.round(refresh / 4)}`;
  await using _sender = srtSender(udp, near.address.port, `passphrase=${passphrase}&${theirs}&latency=${latencyMs}`);
  await bed.event('hub', 'SRT input connected (mode=listener)');
  await bed.event('hub', "SRT output 'out' connected");
  using source = new TsSource({ port: udp });
  const check = new NumberCheck();
  const machine = new MachineWatch([udp, into, out, near.address.port, far.address.port]);
  const look = (): void => {
    machine.look();
    check.push(receiver.takeOutput());
  };
  await follow(seconds, look);
  source.pause();
  const { outputs } = await settled(bed, 'hub');
  receiver.kill('SIGTERM');
  await receiver.ends();
  look();
  const keyRefreshes = Number(outputs[0]?.srt_stats?.['key_refreshes_sent'] ?? 0);
  return { ...check.count, sent: source.packets, keyRefreshes, ...machine.result };
}

/** The statistics of a flow when nothing is on its way any more. */
async function settled(bed: FlowBed, id: string): ReturnType<FlowBed['running']> {
  await pause(2500);
  return bed.running(id);
}
