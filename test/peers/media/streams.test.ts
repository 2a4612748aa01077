import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { HttpOrigin } from '../../support/media/http-origin.ts';
import { checkStream } from '../../support/media/stream-check.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { ffmpegSource, PeerProgram } from '../../support/peers/peer-program.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';

const clean = { continuityErrors: 0, syncErrors: 0, codecs: ['H.264', 'AAC'] };

function tv(sink: LocalUdpSocket): Record<string, unknown> {
  return { id: 'tv', name: 'TV', type: 'udp', dest_addr: sink.addr };
}

/** Pictures in a file, as ffprobe counts them when it decodes it. */
function picturesIn(file: string): number {
  const args = ['-v', 'error', '-select_streams', 'v', '-count_frames', '-show_entries', 'stream=nb_read_frames'];
  const [first = ''] = execFileSync('ffprobe', [...args, '-of', 'csv=p=0', file], { encoding: 'utf8' }).split('\n');
  return Number.parseInt(first, 10);
}

it.each([
  ['ffmpeg', (url: string) => ffmpegSource('-t', '6', '-f', 'flv', url)],
  ['GStreamer', gstreamerPublisher],
])('an RTMP input carries every picture that %s publishes, and says when it comes and goes', async (_name, publish) => {
  await using bed = await FlowBed.open();
  await using sink = await LocalUdpSocket.open();
  await bed.create({
    id: 'cam',
    input: { type: 'rtmp', listen_addr: '127.0.0.1:0', stream_key: 'key' },
    outputs: [tv(sink)],
  });
  const { listen_addr: address = '' } = (await bed.running('cam')).input ?? {};
  await using publisher = publish(`rtmp://${address}/live/key`);
  await bed.event('cam', 'RTMP publisher connected');
  await bed.event('cam', 'RTMP publisher disconnected');
  await publisher.ends();
  const stream = Buffer.concat(sink.received);
  expect(checkStream(stream)).toMatchObject(clean);
  await using folder = await mkdtempDisposable(join(tmpdir(), 'adit-rtmp-'));
  const file = join(folder.path, 'stream.ts');
  writeFileSync(file, stream);
  expect(picturesIn(file)).toBe(150);
});

function gstreamerPublisher(url: string): PeerProgram {
  return new PeerProgram('gst-launch-1.0', [
    ...['-q', 'flvmux', 'name=mux', 'streamable=true', '!', 'rtmp2sink', `location=${url}`],
    ...['videotestsrc', 'is-live=true', 'num-buffers=150', '!', 'video/x-raw,width=640,height=360,framerate=25/1', '!'],
    ...['x264enc', 'tune=zerolatency', 'key-int-max=25', 'speed-preset=ultrafast', '!', 'h264parse', '!', 'mux.'],
    ...[
      'audiotestsrc',
      'is-live=true',
      'num-buffers=290',
      '!',
      'audioconvert',
      '!',
      'avenc_aac',
      '!',
      'aacparse',
      '!',
      'mux.',
    ],
  ]);
}

it('ffmpeg plays from an HLS output what ffmpeg sends to an RTMP input', async () => {
  await using bed = await FlowBed.open();
  await using origin = await HttpOrigin.start(() => ({ status: 201 }));
  const web = {
    id: 'web',
    name: 'Web',
    type: 'hls',
    ingest_url: origin.url,
    segment_duration_secs: 1,
    max_segments: 30,
  };
  await bed.create({ id: 'cam', input: { type: 'rtmp', listen_addr: '127.0.0.1:0' }, outputs: [web] });
  const { listen_addr: address = '' } = (await bed.running('cam')).input ?? {};
  await using ffmpeg = ffmpegSource('-t', '8', '-f', 'flv', `rtmp://${address}/live/any`);
  await until(() => origin.playlist.includes('segment_5.ts'));
  await ffmpeg.ends();
  await bed.command({ type: 'stop_flow', flow_id: 'cam' });
  expect(origin.playlist).toContain('#EXT-X-ENDLIST');
  await using folder = await mkdtempDisposable(join(tmpdir(), 'adit-hls-'));
  for (const [name, bytes] of origin.documents) writeFileSync(join(folder.path, name), bytes);
  writeFileSync(join(folder.path, 'playlist.m3u8'), origin.playlist);
  const segments = [...origin.playlist.matchAll(/segment_\d+\.ts/g)].map(([name]) => name);
  for (const name of segments) expect(picturesIn(join(folder.path, name)), name).toBe(25);
  expect(picturesIn(join(folder.path, 'playlist.m3u8'))).toBe(25 * segments.length);
});
