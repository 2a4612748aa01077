import { readFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gapsIn, numbersIn } from '../../support/media/numbered-ts.ts';
import { checkStream } from '../../support/media/stream-check.ts';
import { FaultyNetwork } from '../../support/network/faulty-network.ts';
import { pause } from '../../support/pause.ts';
import { AckEater } from '../../support/peers/ack-eater.ts';
import { freeUdpPort } from '../../support/peers/free-udp-port.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { ffmpegSource, PeerProgram } from '../../support/peers/peer-program.ts';
import { srtReceiver } from '../../support/peers/srt-live-transmit.ts';
import { TsSource } from '../../support/peers/ts-source.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';
import {
  caller,
  count,
  eventAfterMs,
  listener,
  ms,
  nowMs,
  out,
  toSink,
  udpIn,
  type Check,
  type Outcome,
} from './check.ts';

const passphrase = 'a secret of both';
const connected = /^SRT (input|output 'out') connected/;
const disconnected = /^SRT (input|output 'out') disconnected/;
const failed = /^SRT (input|output 'out') connection failed/;

/** ffmpeg sends for half a minute and keeps a copy; what comes out is compared with it byte for byte. */
async function wholeStream(keys: object, query: string): Promise<Outcome> {
  await using bed = await FlowBed.open();
  await using sink = await LocalUdpSocket.open();
  await using folder = await mkdtempDisposable(join(tmpdir(), 'adit-check-'));
  const port = await freeUdpPort();
  await bed.create({ id: 'main', input: listener(port, keys), outputs: [toSink(sink)] });
  const copy = join(folder.path, 'sent.ts');
  const tee = `[f=mpegts]${copy}|[f=mpegts]srt://127.0.0.1:${port}?pkt_size=1316${query}`;
  await using ffmpeg = ffmpegSource('-map', '0:v', '-map', '1:a', '-f', 'tee', tee);
  const cameMs = await eventAfterMs(bed, 'main', connected);
  await pause(30_000);
  ffmpeg.kill('SIGTERM');
  const leftMs = await eventAfterMs(bed, 'main', disconnected);
  const bytes = Buffer.concat(sink.received);
  const sent = readFileSync(copy);
  const isPrefix = bytes.length > sent.length * 0.9 && bytes.equals(sent.subarray(0, bytes.length));
  const { continuityErrors } = checkStream(bytes);
  return {
    shows:
      `${bytes.length} bytes ${isPrefix ? 'as sent' : 'NOT as sent'}, ${continuityErrors} continuity errors; ` +
      `connected ${ms(cameMs)} after ffmpeg was started, disconnected ${ms(leftMs)} after SIGTERM`,
    held: isPrefix && continuityErrors === 0 && cameMs < 1000 && leftMs < 500,
  };
}

async function killed(): Promise<Outcome> {
  await using bed = await FlowBed.open();
  const port = await freeUdpPort();
  await bed.create({ id: 'main', input: listener(port, { peer_idle_timeout_secs: 5 }) });
  await using ffmpeg = ffmpegSource('-f', 'mpegts', `srt://127.0.0.1:${port}?pkt_size=1316`);
  await until(async () => ((await bed.flow('main'))?.input?.packets_received ?? 0) > 100);
  ffmpeg.kill('SIGKILL');
  const tookMs = await eventAfterMs(bed, 'main', disconnected);
  return { shows: `disconnected after ${ms(tookMs)}`, held: tookMs > 4000 && tookMs <= 6000 };
}

async function viewers(): Promise<Outcome> {
  await using bed = await FlowBed.open();
  const port = await freeUdpPort();
  const udp = await bed.create({ id: 'main', input: udpIn, outputs: [out(listener(port))] });
  using source = new TsSource({ port: udp });
  await using first = srtReceiver(port, 'caller');
  // The stream is a numbered one, without pictures: ffmpeg copies what comes.
  const copy = ['-map', '0', '-c', 'copy', '-f', 'data', '-'];
  const url = `srt://127.0.0.1:${port}`;
  await using second = new PeerProgram('ffmpeg', ['-v', 'error', '-f', 'data', '-i', url, ...copy]);
  await eventAfterMs(bed, 'main', connected, 2);
  let gaps = 0;
  for (const viewer of [first, second]) {
    await until(() => viewer.output.length > 188 * 20_000);
    gaps += gapsIn(numbersIn([viewer.output.subarray(0, 188 * 20_000)])).length;
  }
  first.kill('SIGINT');
  second.kill('SIGTERM');
  await eventAfterMs(bed, 'main', disconnected, 2);
  const [came, left] = [count(bed, 'main', connected), count(bed, 'main', disconnected)];
  return {
    shows: `${came} connected, ${left} disconnected, ${gaps} gaps in 20,000 packets of each, ${source.packets} sent`,
    held: came === 2 && left === 2 && gaps === 0,
  };
}

/** The listener comes late. */
async function lateListener(): Promise<Outcome> {
  await using bed = await FlowBed.open();
  const port = await freeUdpPort();
  await bed.create({ id: 'main', input: udpIn, outputs: [out(caller(port, { connect_timeout_secs: 1 }))] });
  await eventAfterMs(bed, 'main', failed);
  await pause(8000);
  const failures = count(bed, 'main', failed);
  await using _receiver = srtReceiver(port, 'listener');
  const cameMs = await eventAfterMs(bed, 'main', connected);
  const held = failures === 1 && count(bed, 'main', failed) === 1;
  return { shows: `${failures} connection failed in 9 s, connected ${ms(cameMs)} after it listens`, held };
}

async function refused(query: string, message: RegExp | null): Promise<Outcome> {
  await using bed = await FlowBed.open();
  const port = await freeUdpPort();
  await bed.create({ id: 'main', input: listener(port, { passphrase, stream_id: 'camera' }) });
  const startMs = nowMs();
  await using ffmpeg = ffmpegSource('-f', 'mpegts', `srt://127.0.0.1:${port}?pkt_size=1316${query}`);
  if (message !== null) await eventAfterMs(bed, 'main', message);
  const tookMs = nowMs() - startMs;
  const status = await ffmpeg.ends();
  const endedMs = nowMs() - startMs;
  const leaks = JSON.stringify(bed.manager.events).includes(passphrase);
  const event = message === null ? 'no event' : `the event after ${ms(tookMs)}`;
  return {
    shows: `${event}; ffmpeg, started anew, ends with an error after ${ms(endedMs)}; ${leaks ? 'LEAKS' : 'no secret in an event'}`,
    held: status !== 0 && !leaks && count(bed, 'main', connected) === 0,
  };
}

async function stale(): Promise<Outcome> {
  await using bed = await FlowBed.open();
  const port = await freeUdpPort();
  await using _receiver = srtReceiver(port, 'listener');
  await using path = await AckEater.open(port);
  const udp = await bed.create({ id: 'main', input: udpIn, outputs: [out(caller(path.port))] });
  await eventAfterMs(bed, 'main', connected);
  using source = new TsSource({ port: udp });
  const tookMs = await eventAfterMs(bed, 'main', /stale connection detected/);
  return {
    shows: `the event after ${ms(tookMs)}, ${source.chunks} messages sent`,
    held: tookMs >= 2900 && tookMs < 5000,
  };
}

async function idleViewer(): Promise<Outcome> {
  await using bed = await FlowBed.open();
  const port = await freeUdpPort();
  await bed.create({ id: 'main', input: udpIn, outputs: [out(listener(port))] });
  await using _viewer = srtReceiver(port, 'caller');
  await eventAfterMs(bed, 'main', connected);
  await pause(60_000);
  const others = bed.messages('main').length - 2;
  return { shows: `${others} further events in 60 s`, held: others === 0 };
}

/** GStreamer sends RTP over two SRT connections; one path loses packets, the other is cut twice. */
async function gstreamerLegs(): Promise<Outcome> {
  await using bed = await FlowBed.open();
  await using sink = await LocalUdpSocket.open();
  const ports = [await freeUdpPort(), await freeUdpPort()] as const;
  const leg = (port: number, idle: number): object => listener(port, { peer_idle_timeout_secs: idle, latency_ms: 500 });
  const input = { ...leg(ports[0], 30), redundancy: { ...leg(ports[1], 2), type: undefined }, merge_window_ms: 1000 };
  await bed.create({ id: 'main', input, outputs: [toSink(sink)] });
  await using lossy = await FaultyNetwork.start({
    target: { ip: '127.0.0.1', port: ports[0] },
    faults: { lossRate: 0.02, delayMs: 5 },
  });
  await using cut = await FaultyNetwork.start({ target: { ip: '127.0.0.1', port: ports[1] } });
  const srt = (port: number): string[] => {
    const uri = `uri=srt://127.0.0.1:${port}?mode=caller`;
    return ['legs.', '!', 'queue', '!', 'srtsink', uri, 'wait-for-connection=false', 'latency=500', 'sync=false'];
  };
  await using _gstreamer = new PeerProgram('gst-launch-1.0', [
    ...['-q', 'videotestsrc', 'is-live=true', '!', 'video/x-raw,width=640,height=360,framerate=25/1', '!'],
    ...['x264enc', 'tune=zerolatency', 'key-int-max=25', 'speed-preset=ultrafast', 'bitrate=1500', '!'],
    ...['mpegtsmux', 'alignment=6', '!', 'rtpmp2tpay', 'mtu=1316', '!', 'tee', 'name=legs'],
    ...srt(lossy.address.port),
    ...srt(cut.address.port),
  ]);
  const legUp = (number: number): RegExp => new RegExp(`redundant leg ${number}\\)`);
  await eventAfterMs(bed, 'main', legUp(1));
  await eventAfterMs(bed, 'main', legUp(2));
  for (let turn = 1; turn <= 2; turn++) {
    await pause(6000);
    cut.partition();
    await eventAfterMs(bed, 'main', /^Redundant leg 2 lost/, turn);
    await pause(4000);
    cut.heal();
    await eventAfterMs(bed, 'main', legUp(2), turn + 1);
  }
  await pause(6000);
  const { packets, continuityErrors } = checkStream(Buffer.concat(sink.received));
  const [lost, back] = [count(bed, 'main', /leg 2 lost/), count(bed, 'main', legUp(2))];
  const others = count(bed, 'main', /leg 1 lost|Both/);
  return {
    shows: `${packets} packets, ${continuityErrors} continuity errors; leg 2 lost ${lost} times and back ${back - 1} times`,
    held: packets > 5000 && continuityErrors === 0 && lost === 2 && back === 3 && others === 0,
  };
}

const whole = 'byte-exact for 30 s, connected < 1 s, disconnected < 0.5 s after SIGTERM';

export const srtChecks: readonly Check[] = [
  { row: 'SRT in, listener: plain', peer: 'ffmpeg', must: whole, run: () => wholeStream({}, '') },
  {
    row: 'SRT in, listener: AES-128',
    peer: 'ffmpeg',
    must: whole,
    run: () => wholeStream({ passphrase }, `&passphrase=${passphrase}&pbkeylen=16`),
  },
  {
    row: 'SRT in, listener: AES-256',
    peer: 'ffmpeg',
    must: whole,
    run: () => wholeStream({ passphrase, aes_key_len: 32 }, `&passphrase=${passphrase}&pbkeylen=32`),
  },
  {
    row: 'SRT in, listener: stream id',
    peer: 'ffmpeg',
    must: whole,
    run: () => wholeStream({ stream_id: 'camera/1' }, '&streamid=camera/1'),
  },
  { row: 'SRT in, SIGKILL', peer: 'ffmpeg', must: 'at the idle timeout (5 s), not later than + 1 s', run: killed },
  {
    row: 'SRT out, listener',
    peer: 'srt-live-transmit and ffmpeg at once',
    must: 'both play, 2 connected, each its disconnected',
    run: viewers,
  },
  {
    row: 'SRT out, caller',
    peer: 'srt-live-transmit, which comes late',
    must: 'one connection failed, silence, then connected',
    run: lateListener,
  },
  {
    row: 'wrong secret',
    peer: 'ffmpeg',
    must: 'refused at once, the reason in the event, no leak',
    run: () => refused('&streamid=camera&passphrase=quite another one', /failed: the passphrase is wrong/),
  },
  {
    row: 'no secret',
    peer: 'ffmpeg',
    must: 'the same',
    run: () => refused('&streamid=camera', /failed: a passphrase is required by one side only/),
  },
  {
    row: 'wrong id',
    peer: 'ffmpeg',
    must: 'refused at once',
    run: () => refused(`&streamid=other&passphrase=${passphrase}`, null),
  },
  { row: 'stale', peer: 'srt-live-transmit, whose ACKs are lost', must: 'the event at 3 s', run: stale },
  { row: 'stale: an idle viewer', peer: 'srt-live-transmit', must: 'no event in 60 s', run: idleViewer },
  {
    row: '2022-7',
    peer: 'GStreamer: rtpmp2tpay, tee, two srtsinks; 2 % loss on one, the other cut twice',
    must: '0 continuity errors, leg lost once a cut, both reconnect',
    run: gstreamerLegs,
  },
];
