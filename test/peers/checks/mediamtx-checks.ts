import { writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../src/cli/demo/free-port.ts';
import { checkStream } from '../../support/media/stream-check.ts';
import { pause } from '../../support/pause.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { ffmpegSource, PeerProgram } from '../../support/peers/peer-program.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';
import { caller, count, eventAfterMs, ms, out, toSink, type Check, type Outcome } from './check.ts';

const login = { username: 'camera', password: 'a secret' };

/** mediamtx with SRT, RTSP and WebRTC, on ports of its own. */
class MediaServer {
  readonly #program: string;
  readonly #folder: string;
  readonly ports: Readonly<Record<'srt' | 'rtsp' | 'rtp' | 'webrtc' | 'ice', number>>;

  private constructor(program: string, folder: string, ports: MediaServer['ports']) {
    this.#program = program;
    this.#folder = folder;
    this.ports = ports;
  }

  static async at(program: string, folder: string): Promise<MediaServer> {
    const [srt, rtsp, webrtc, ice] = [await freePort(), await freePort(), await freePort(), await freePort()];
    // RTP has an even port, RTCP the next one.
    const rtp = (await freePort()) & ~1;
    return new MediaServer(program, folder, { srt, rtsp, rtp, webrtc, ice });
  }

  /** `more` are lines of its config. */
  start(...more: readonly string[]): PeerProgram {
    const { srt, rtsp, rtp, webrtc, ice } = this.ports;
    const config = join(this.#folder, 'mediamtx.yml');
    const lines = [
      ...['logLevel: warn', 'rtmp: no', 'hls: no', 'moq: no'],
      ...[`srtAddress: 127.0.0.1:${srt}`, `rtspAddress: 127.0.0.1:${rtsp}`],
      ...[`rtpAddress: 127.0.0.1:${rtp}`, `rtcpAddress: 127.0.0.1:${rtp + 1}`, 'rtspTransports: [udp, tcp]'],
      ...[`webrtcAddress: 127.0.0.1:${webrtc}`, `webrtcLocalUDPAddress: 127.0.0.1:${ice}`],
      ...['webrtcIPsFromInterfaces: no', 'webrtcAdditionalHosts: [127.0.0.1]'],
      ...more,
      ...(more.some((line) => line.startsWith('paths:')) ? [] : ['paths: {all_others: {}}']),
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    return new PeerProgram(this.#program, [config]);
  }
}

type Trial = (server: MediaServer, bed: FlowBed, sink: LocalUdpSocket) => Promise<Outcome>;

function trial(program: string, run: Trial): () => Promise<Outcome> {
  return async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'adit-mediamtx-'));
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    return await run(await MediaServer.at(program, folder.path), bed, sink);
  };
}

/** A flow with ffmpeg's stream, and the output of the check. */
async function source(bed: FlowBed, output: object, audio = 'aac'): Promise<PeerProgram> {
  const port = await freePort();
  await bed.create({ id: 'tx', input: { type: 'udp', bind_addr: `127.0.0.1:${port}` }, outputs: [out(output)] });
  return ffmpegSource('-c:a', audio, '-f', 'mpegts', `udp://127.0.0.1:${port}?pkt_size=1316`);
}

async function cameOut(sink: LocalUdpSocket, seconds: number): Promise<{ shows: string; held: boolean }> {
  await until(() => sink.received.length > 0);
  sink.received.splice(0);
  await pause(seconds * 1000);
  const { packets, continuityErrors, codecs } = checkStream(Buffer.concat(sink.received));
  return {
    shows: `${packets} packets (${codecs.join(', ')}) in ${seconds} s, ${continuityErrors} continuity errors`,
    held: packets > 200 * seconds && continuityErrors === 0,
  };
}

/** A flow publishes, another one reads; the server comes late. */
const srtBothWays: Trial = async (server, bed, sink) => {
  const { srt } = server.ports;
  const keys = { connect_timeout_secs: 1 };
  await using _ffmpeg = await source(bed, caller(srt, { ...keys, stream_id: 'publish:x' }));
  await eventAfterMs(bed, 'tx', /^SRT output 'out' connection failed/);
  await pause(4000);
  await using _server = server.start();
  const cameMs = await eventAfterMs(bed, 'tx', /^SRT output 'out' connected/);
  await bed.create({ id: 'rx', input: caller(srt, { ...keys, stream_id: 'read:x' }), outputs: [toSink(sink)] });
  await eventAfterMs(bed, 'rx', /^SRT input connected/);
  const failures = count(bed, 'tx', /connection failed/);
  const { shows, held } = await cameOut(sink, 20);
  return {
    shows: `${failures} connection failed, then connected after ${ms(cameMs)}; ${shows}`,
    held: held && failures === 1,
  };
};

function rtsp(transport: string, secured: boolean): Trial {
  return async (server, bed, sink) => {
    const { rtsp: port, srt } = server.ports;
    const { username, password } = login;
    const anybody = '- {user: any, permissions: [{action: publish}]}';
    const viewer = `- {user: ${username}, pass: ${password}, permissions: [{action: read}]}`;
    const users = ['rtspAuthMethods: [digest]', 'authInternalUsers:', anybody, viewer];
    await using mediamtx = server.start(...(secured ? users : []));
    await using _ffmpeg = await source(bed, caller(srt, { stream_id: 'publish:x' }));
    await eventAfterMs(bed, 'tx', /^SRT output 'out' connected/);
    const input = { type: 'rtsp', rtsp_url: `rtsp://127.0.0.1:${port}/x`, transport, reconnect_delay_secs: 1 };
    await bed.create({ id: 'rx', input: { ...input, ...(secured && login) }, outputs: [toSink(sink)] });
    await eventAfterMs(bed, 'rx', /^RTSP connected to/);
    const { shows, held } = await cameOut(sink, 10);
    mediamtx.kill('SIGKILL');
    const lostMs = await eventAfterMs(bed, 'rx', /^RTSP input disconnected: the/);
    return { shows: `${shows}; killed: disconnected after ${ms(lostMs)}`, held };
  };
}

/** A flow publishes to mediamtx with WHIP, another one plays it from there with WHEP. */
const whipAndWhep: Trial = async (server, bed, sink) => {
  const url = `http://127.0.0.1:${server.ports.webrtc}/x`;
  await using _server = server.start();
  await using _ffmpeg = await source(bed, { type: 'webrtc', mode: 'whip_client', whip_url: `${url}/whip` }, 'libopus');
  await until(async () => ((await bed.flow('tx'))?.outputs[0]?.packets_sent ?? 0) > 300);
  await bed.create({ id: 'rx', input: { type: 'whep', whep_url: `${url}/whep` }, outputs: [toSink(sink)] });
  await eventAfterMs(bed, 'rx', /^WHEP connected/);
  const { shows, held } = await cameOut(sink, 10);
  const lost = (await bed.running('rx')).input?.packets_lost ?? 0;
  return { shows: `${shows}, ${lost} RTP packets lost`, held: held && lost === 0 };
};

/** mediamtx plays a flow with WHEP; another flow takes it from there by SRT. */
const viewer: Trial = async (server, bed, sink) => {
  await using _ffmpeg = await source(bed, { type: 'webrtc', mode: 'whep_server' }, 'libopus');
  const { host } = new URL(bed.url);
  await until(async () => ((await bed.flow('tx'))?.input?.packets_received ?? 0) > 300);
  await using mediamtx = server.start('paths:', `  x: {source: "whep://${host}/api/v1/flows/tx/whep"}`);
  await eventAfterMs(bed, 'tx', /^WHEP viewer connected/);
  const input = caller(server.ports.srt, { stream_id: 'read:x' });
  await bed.create({ id: 'rx', input, outputs: [toSink(sink)] });
  await eventAfterMs(bed, 'rx', /^SRT input connected/);
  const { shows, held } = await cameOut(sink, 10);
  mediamtx.kill('SIGTERM');
  const leftMs = await eventAfterMs(bed, 'tx', /^WHEP viewer disconnected/);
  return { shows: `${shows}; viewer disconnected ${ms(leftMs)} after SIGTERM`, held };
};

const sound = '0 continuity errors';

/** With the program that `MEDIAMTX` names. */
export function mediamtxChecks(program: string): readonly Check[] {
  const row = (name: string, role: string, must: string, run: Trial): Check => {
    return { row: name, peer: `mediamtx ${role}`, must, run: trial(program, run) };
  };
  return [
    row('SRT caller both ways', 'as server, which comes late', `${sound}, one connection failed`, srtBothWays),
    row('RTSP over TCP', 'as server, then killed', `${sound}, one disconnected`, rtsp('tcp', false)),
    row('RTSP over UDP', 'as server, then killed', `${sound}, one disconnected`, rtsp('udp', false)),
    row('RTSP over TCP with Digest', 'as server, then killed', `${sound}, one disconnected`, rtsp('tcp', true)),
    row('WHIP and WHEP', 'as server of both', `${sound}, 0 lost`, whipAndWhep),
    row('WHEP', 'as viewer', sound, viewer),
  ];
}
