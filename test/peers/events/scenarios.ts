import { freeTcpPort } from '../../support/manager/free-tcp-port.ts';
import { AckEater } from '../../support/peers/ack-eater.ts';
import { freeUdpPort } from '../../support/peers/free-udp-port.ts';
import { ffmpegSource, PeerProgram } from '../../support/peers/peer-program.ts';
import { startRtspPeer } from '../../support/peers/rtsp-peer.ts';
import { srtReceiver, srtSender } from '../../support/peers/srt-live-transmit.ts';
import { TsSource } from '../../support/peers/ts-source.ts';
import type { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';

/** What makes an edge raise events of flows. The manager has them when `run` resolves. */
export interface Scenario {
  /** As the table names it. */
  readonly peer: string;
  readonly run: (bed: FlowBed) => Promise<void>;
}

const udpIn = { type: 'udp', bind_addr: '127.0.0.1:0' };
const passphrase = 'a secret of both';

function listener(port: number, changes: object = {}): Record<string, unknown> {
  return { type: 'srt', mode: 'listener', local_addr: `127.0.0.1:${port}`, ...changes };
}

function caller(port: number, changes: object = {}): Record<string, unknown> {
  return { type: 'srt', mode: 'caller', remote_addr: `127.0.0.1:${port}`, ...changes };
}

function out(keys: object): Record<string, unknown> {
  return { id: 'out', name: 'Out', ...keys };
}

/** Waits for an event of the flow `main`, whatever stands in its places. */
function raised(bed: FlowBed, message: RegExp): Promise<unknown> {
  const found = (): boolean => bed.messages('main').some((each) => message.test(each));
  return until(found, { what: `${String(message)}; seen: ${bed.messages('main').join(' | ')}` });
}

async function encoder(bed: FlowBed): Promise<void> {
  const port = await freeUdpPort();
  await bed.create({ id: 'main', input: listener(port) });
  await using ffmpeg = ffmpegSource('-f', 'mpegts', `srt://127.0.0.1:${port}?pkt_size=1316`);
  await raised(bed, /^SRT input connected/);
  ffmpeg.kill('SIGTERM');
  await raised(bed, /^SRT input disconnected/);
}

async function wrongPassphrase(bed: FlowBed): Promise<void> {
  const port = await freeUdpPort();
  await bed.create({ id: 'main', input: listener(port, { passphrase }) });
  await using _ffmpeg = ffmpegSource('-f', 'mpegts', `srt://127.0.0.1:${port}?passphrase=quite another one`);
  await raised(bed, /^SRT input connection failed/);
}

async function server(bed: FlowBed): Promise<void> {
  const [udp, port] = [await freeUdpPort(), await freeUdpPort()];
  const url = [`udp://127.0.0.1:${udp}`, `srt://127.0.0.1:${port}?mode=listener`];
  await using _server = new PeerProgram('srt-live-transmit', ['-q', '-a:no', ...url]);
  await bed.create({ id: 'main', input: caller(port) });
  await raised(bed, /^SRT input connected \(mode=caller\)/);
}

async function viewer(bed: FlowBed): Promise<void> {
  const port = await freeUdpPort();
  await bed.create({ id: 'main', input: udpIn, outputs: [out(listener(port, { passphrase }))] });
  await using viewing = srtReceiver(port, 'caller', `passphrase=${passphrase}`);
  await raised(bed, /^SRT output 'out' connected/);
  viewing.kill('SIGINT');
  await raised(bed, /^SRT output 'out' disconnected/);
  await using _stranger = srtReceiver(port, 'caller', 'passphrase=quite another one');
  await raised(bed, /^SRT output 'out' connection failed/);
}

async function oneWay(bed: FlowBed): Promise<void> {
  const port = await freeUdpPort();
  await using _receiver = srtReceiver(port, 'listener');
  await using path = await AckEater.open(port);
  const udp = await bed.create({ id: 'main', input: udpIn, outputs: [out(caller(path.port))] });
  await raised(bed, /^SRT output 'out' connected/);
  using _source = new TsSource({ port: udp });
  await raised(bed, /stale connection detected/);
}

async function legs(bed: FlowBed): Promise<void> {
  const srt = [await freeUdpPort(), await freeUdpPort()] as const;
  const udp = [await freeUdpPort(), await freeUdpPort()] as const;
  await bed.create({
    id: 'main',
    input: { ...listener(srt[0]), redundancy: { ...listener(srt[1]), type: undefined } },
  });
  const send = (leg: 0 | 1): PeerProgram => srtSender(udp[leg], srt[leg]);
  await using first = send(0);
  await using second = send(1);
  await raised(bed, /redundant leg 1\)/);
  await raised(bed, /redundant leg 2\)/);
  using source = new TsSource(...udp.map((port) => ({ port, rtp: true })));
  await until(() => source.chunks > 500);
  second.kill('SIGTERM');
  await raised(bed, /^Redundant leg 2 lost/);
  await using _again = send(1);
  await until(() => bed.messages('main').filter((text) => text.includes('redundant leg 2)')).length === 2);
  await until(async () => ((await bed.running('main')).input?.legs ?? []).every((leg) => leg.silent_secs === 0));
  first.kill('SIGTERM');
  await raised(bed, /^Redundant leg 1 lost/);
  source.pause();
  await raised(bed, /^Both redundant legs lost/);
}

async function publisher(bed: FlowBed): Promise<void> {
  const port = await freeTcpPort();
  await bed.create({ id: 'main', input: { type: 'rtmp', listen_addr: `127.0.0.1:${port}` } });
  await using ffmpeg = ffmpegSource('-f', 'flv', `rtmp://127.0.0.1:${port}/live/any`);
  await raised(bed, /^RTMP publisher connected/);
  ffmpeg.kill('SIGTERM');
  await raised(bed, /^RTMP publisher disconnected/);
}

async function camera(bed: FlowBed): Promise<void> {
  const port = await freeTcpPort();
  await using playing = await startRtspPeer(port);
  await bed.create({ id: 'main', input: { type: 'rtsp', rtsp_url: `rtsp://127.0.0.1:${port}/live` } });
  await raised(bed, /^RTSP connected to/);
  playing.kill('SIGKILL');
  await raised(bed, /^RTSP input disconnected/);
}

/** Python's server has no PUT: it refuses each segment. */
async function webServer(bed: FlowBed): Promise<void> {
  const [port, udp] = [await freeTcpPort(), await freeUdpPort()];
  await using _server = new PeerProgram('python3', ['-m', 'http.server', String(port), '--bind', '127.0.0.1']);
  const hls = { type: 'hls', ingest_url: `http://127.0.0.1:${port}/live`, segment_duration_secs: 0.5 };
  await bed.create({ id: 'main', input: { type: 'udp', bind_addr: `127.0.0.1:${udp}` }, outputs: [out(hls)] });
  await using _ffmpeg = ffmpegSource('-g', '12', '-f', 'mpegts', `udp://127.0.0.1:${udp}?pkt_size=1316`);
  await raised(bed, /^HLS segment upload failed/);
  await raised(bed, /^HLS output failed/);
}

/** The flow's port, and that of an output, is another program's. */
async function takenPort(bed: FlowBed): Promise<void> {
  const port = await freeUdpPort();
  await using _server = new PeerProgram('srt-live-transmit', [
    ...['-q', '-a:no', `srt://127.0.0.1:${port}?mode=listener`, 'file://con'],
  ]);
  await until(async () => {
    await bed.command({ type: 'delete_flow', flow_id: 'main' });
    return !(await bed.command({ type: 'create_flow', flow: { id: 'main', name: 'Main', input: listener(port) } }))
      .success;
  });
  await raised(bed, /^Flow 'main' failed to start/);
  await bed.create({ id: 'main', input: udpIn });
  await bed.command({ type: 'add_output', flow_id: 'main', output: out(listener(port)) });
  await raised(bed, /^Output 'out' failed to start/);
}

async function orders(bed: FlowBed): Promise<void> {
  await bed.create({ id: 'main', input: udpIn });
  await bed.command({ type: 'add_output', flow_id: 'main', output: out({ type: 'udp', dest_addr: '127.0.0.1:9' }) });
  await bed.command({ type: 'remove_output', flow_id: 'main', output_id: 'out' });
  await bed.command({ type: 'stop_flow', flow_id: 'main' });
  await raised(bed, /^Flow 'main' stopped/);
}

/** All but WebRTC. */
export const scenarios: readonly Scenario[] = [
  { peer: 'a manager', run: orders },
  { peer: 'srt-live-transmit, which has the port', run: takenPort },
  { peer: 'ffmpeg', run: encoder },
  { peer: 'ffmpeg with another passphrase', run: wrongPassphrase },
  { peer: 'srt-live-transmit as server', run: server },
  { peer: 'srt-live-transmit as viewer, the last one with another passphrase', run: viewer },
  { peer: 'srt-live-transmit behind a path that loses its ACKs', run: oneWay },
  { peer: 'srt-live-transmit on two legs', run: legs },
  { peer: 'ffmpeg', run: publisher },
  { peer: 'gst-rtsp-server', run: camera },
  { peer: "Python's http.server, which has no PUT", run: webServer },
];
