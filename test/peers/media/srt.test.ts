import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import { checkStream } from '../../support/media/stream-check.ts';
import { freeUdpPort } from '../../support/peers/free-udp-port.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { ffmpegSource, PeerProgram } from '../../support/peers/peer-program.ts';
import { TsSource } from '../../support/peers/ts-source.ts';
import { gapsIn, numbersIn } from '../../support/media/numbered-ts.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';

const clock = new SystemClock();
const udpIn = { type: 'udp', bind_addr: '127.0.0.1:0' };
const passphrase = 'a secret of both';

function tv(sink: LocalUdpSocket): Record<string, unknown> {
  return { id: 'tv', name: 'TV', type: 'udp', dest_addr: sink.addr };
}

function listener(port: number, changes: object = {}): Record<string, unknown> {
  return { type: 'srt', mode: 'listener', local_addr: `127.0.0.1:${port}`, ...changes };
}

/** ffmpeg as an SRT caller. */
function ffmpegCaller(port: number, query = ''): PeerProgram {
  return ffmpegSource('-f', 'mpegts', `srt://127.0.0.1:${port}?mode=caller&pkt_size=1316${query}`);
}

/** srt-live-transmit that writes what it receives to its standard output. */
function srtReceiver(url: string): PeerProgram {
  return new PeerProgram('srt-live-transmit', ['-q', '-a:no', '-chunk:1316', url, 'file://con']);
}

describe('an SRT listener as input, with ffmpeg as caller', () => {
  it.each([
    ['plain', {}, ''],
    ['AES-128', { passphrase }, `&passphrase=${passphrase}&pbkeylen=16`],
    ['AES-256', { passphrase, aes_key_len: 32 }, `&passphrase=${passphrase}&pbkeylen=32`],
    ['a stream id', { stream_id: 'camera/1' }, '&streamid=camera/1'],
  ])('takes %s without one continuity error, and sees it leave', async (_name, keys, query) => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const port = await freeUdpPort();
    await bed.create({ id: 'main', input: listener(port, keys), outputs: [tv(sink)] });
    await using ffmpeg = ffmpegCaller(port, query);
    await bed.event('main', 'SRT input connected (mode=listener)');
    await until(() => sink.received.length >= 800);
    const stream = checkStream(Buffer.concat(sink.received));
    expect(stream).toMatchObject({ continuityErrors: 0, syncErrors: 0, codecs: ['H.264', 'AAC'] });
    ffmpeg.kill('SIGTERM');
    const left = await bed.event('main', 'SRT input disconnected, reconnecting');
    expect(left).toMatchObject({ reason: 'shutdown' });
  });

  it('misses a killed one at the idle timeout, and not before', async () => {
    await using bed = await FlowBed.open();
    const port = await freeUdpPort();
    await bed.create({ id: 'main', input: listener(port, { peer_idle_timeout_secs: 3 }) });
    await using ffmpeg = ffmpegCaller(port);
    await bed.event('main', 'SRT input connected (mode=listener)');
    await until(async () => ((await bed.flow('main'))?.input?.packets_received ?? 0) > 100);
    const killedMs = clock.monotonicMs();
    ffmpeg.kill('SIGKILL');
    expect(await bed.event('main', 'SRT input disconnected, reconnecting')).toMatchObject({ reason: 'idle' });
    expect(clock.monotonicMs() - killedMs).toBeGreaterThan(2500);
  });

  it.each([
    ['another passphrase', '&passphrase=quite another one', 'the passphrase is wrong'],
    ['no passphrase', '', 'a passphrase is required by one side only'],
  ])('refuses %s at once', async (_name, query, why) => {
    await using bed = await FlowBed.open();
    const port = await freeUdpPort();
    await bed.create({ id: 'main', input: listener(port, { passphrase }) });
    await using ffmpeg = ffmpegCaller(port, query);
    await bed.event('main', `SRT input connection failed: ${why}`);
    expect(await ffmpeg.ends()).not.toBe(0);
    expect(JSON.stringify(bed.manager.events)).not.toContain(passphrase);
  });

  it('goes through its key refreshes without an error', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const port = await freeUdpPort();
    await bed.create({ id: 'main', input: listener(port, { passphrase }), outputs: [tv(sink)] });
    const query = `&passphrase=${passphrase}&kmrefreshrate=400&kmpreannounce=100`;
    await using ffmpeg = ffmpegCaller(port, query);
    await until(() => sink.received.length >= 2500);
    expect(checkStream(Buffer.concat(sink.received))).toMatchObject({ continuityErrors: 0, syncErrors: 0 });
    const stats = (await bed.running('main')).input?.srt_stats ?? {};
    expect(Number(stats['key_refreshes_received'])).toBeGreaterThanOrEqual(3);
    expect(stats['pkt_recv_undecrypt_total']).toBe(0);
    ffmpeg.kill('SIGTERM');
  });
});

describe('an SRT output, with srt-live-transmit', () => {
  it('lets two receivers in at the same time, and reports when each leaves', async () => {
    await using bed = await FlowBed.open();
    const port = await freeUdpPort();
    const output = { id: 'out', name: 'Out', ...listener(port, { passphrase }) };
    const udpPort = await bed.create({ id: 'main', input: udpIn, outputs: [output] });
    const url = `srt://127.0.0.1:${port}?mode=caller&passphrase=${passphrase}`;
    await using first = srtReceiver(url);
    await using second = srtReceiver(url);
    const said = (message: string): number => bed.messages('main').filter((each) => each === message).length;
    await until(() => said("SRT output 'out' connected") === 2);
    using source = new TsSource({ port: udpPort });
    for (const receiver of [first, second]) {
      await until(() => receiver.output.length > 188 * 5000);
      const whole = receiver.output.subarray(0, 188 * 5000);
      expect(gapsIn(numbersIn([whole]))).toEqual([]);
    }
    first.kill('SIGINT');
    await until(() => said("SRT output 'out' disconnected") === 1);
    expect(source.chunks).toBeGreaterThan(0);
  });

  it('calls one that listens, refreshes its keys, and every packet comes out as it went in', async () => {
    await using bed = await FlowBed.open();
    const port = await freeUdpPort();
    await using receiver = srtReceiver(`srt://127.0.0.1:${port}?mode=listener&passphrase=${passphrase}`);
    const remote = { mode: 'caller', remote_addr: `127.0.0.1:${port}`, passphrase };
    const keys = { km_refresh_rate: 400, km_pre_announce: 100 };
    const output = { id: 'out', name: 'Out', type: 'srt', ...remote, ...keys };
    const udpPort = await bed.create({ id: 'main', input: udpIn, outputs: [output] });
    await bed.event('main', "SRT output 'out' connected");
    using source = new TsSource({ port: udpPort });
    await until(() => receiver.output.length > 188 * 14_000);
    expect(gapsIn(numbersIn([receiver.output.subarray(0, 188 * 14_000)]))).toEqual([]);
    const stats = (await bed.running('main')).outputs[0]?.srt_stats ?? {};
    expect(Number(stats['key_refreshes_sent'])).toBeGreaterThanOrEqual(3);
    expect(source.chunks).toBeGreaterThan(0);
  });

  it('reports once that no program listens there, and connects when one does', async () => {
    await using bed = await FlowBed.open();
    const port = await freeUdpPort();
    const remote = { mode: 'caller', remote_addr: `127.0.0.1:${port}`, connect_timeout_secs: 1 };
    await bed.create({ id: 'main', input: udpIn, outputs: [{ id: 'out', name: 'Out', type: 'srt', ...remote }] });
    await bed.event('main', "SRT output 'out' connection failed: no answer in time");
    await using receiver = srtReceiver(`srt://127.0.0.1:${port}?mode=listener`);
    const connected = await bed.event('main', "SRT output 'out' connected");
    expect(Number(connected['attempts'])).toBeGreaterThanOrEqual(1);
    expect(bed.messages('main')).toHaveLength(3);
    expect(receiver.output).toHaveLength(0);
  });
});
