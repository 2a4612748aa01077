import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { HttpOrigin } from '../../support/media/http-origin.ts';
import { rtmpGreeting, RtmpPublisher, rtmpSetup } from '../../support/media/rtmp-publisher.ts';
import { RtspServer } from '../../support/media/rtsp-server.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { TsSource } from '../../support/peers/ts-source.ts';
import { freeUdpPort } from '../../support/peers/free-udp-port.ts';
import { PictureSource } from '../../support/peers/picture-source.ts';
import { until } from '../../support/until.ts';

const udpIn = { type: 'udp', bind_addr: '127.0.0.1:0' };
const listener = { type: 'srt', mode: 'listener', local_addr: '127.0.0.1:0', latency_ms: 60 };

function caller(port: number, changes: object = {}): object {
  const remote = `127.0.0.1:${port}`;
  return { id: 'out', name: 'Out', type: 'srt', mode: 'caller', remote_addr: remote, latency_ms: 60, ...changes };
}

async function ask(bed: FlowBed, ...args: readonly string[]): Promise<{ text: string; status: number }> {
  const printed: string[] = [];
  let status = 0;
  const line = ['why', ...args, '--seconds', '1.2', '--url', bed.url];
  const program = await createProgram({ out: (text) => printed.push(text), exitWith: (code) => (status = code) }, line);
  await program.parseAsync(['node', 'adit', ...line]);
  return { text: printed.join(''), status };
}

/** Asks until the answer has these words, and returns it. */
async function says(bed: FlowBed, flow: string, words: string | RegExp): Promise<string> {
  let last = '';
  const asked = until(
    async () => {
      last = (await ask(bed, flow)).text;
      return typeof words === 'string' ? last.includes(words) : words.test(last);
    },
    { what: String(words) },
  );
  await asked.catch((error: unknown) => {
    throw new Error(`${String(error)}\nthe answer was:\n${last}`);
  });
  return last;
}

describe('adit why of a media flow', () => {
  it('is content with one that works, and names it beside the tunnels', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const tv = { id: 'tv', name: 'TV', type: 'udp', dest_addr: sink.addr };
    using source = new TsSource({ port: await bed.create({ id: 'main', input: udpIn, outputs: [tv] }) });
    await says(
      bed,
      'main',
      /^flow main \(main\)\n✓ [\d.]+ .?bit\/s come in[.]\n✓ Output 'tv' sends [\d.]+ .?bit\/s[.]\n$/,
    );
    const all = await ask(bed);
    expect(all).toMatchObject({ status: 0, text: expect.stringMatching(/^flow main \(main\)\n✓/) as string });
    source.pause();
    await says(bed, 'main', /The publisher has stopped: nothing comes to 127[.]0[.]0[.]1:\d+ any more[.]\n {2}→ look/);
  });

  it('reports that nothing ever came, that the publisher has stopped and since when, and that it sends nothing', async () => {
    await using bed = await FlowBed.open();
    const port = await bed.create({ id: 'rx', input: listener });
    await says(bed, 'rx', new RegExp(`Nothing has ever come to 127[.]0[.]0[.]1:${port}[.]`));
    await bed.create({ id: 'tx', input: udpIn, outputs: [caller(port)] });
    await says(bed, 'rx', /The publisher is connected \(127[.]0[.]0[.]1:\d+\) and sends nothing[.]/);
    await bed.command({ type: 'stop_flow', flow_id: 'tx' });
    const answer = await says(bed, 'rx', /The publisher has stopped: it left at .* ago \(it ended the connection\)[.]/);
    expect(answer).toContain('start it again');
    expect(await says(bed, 'tx', 'The flow is not running.')).toContain('set enabled to true');
  });

  it('reports a device that dials with another stream id, of which there is no event', async () => {
    await using bed = await FlowBed.open();
    const port = await bed.create({ id: 'rx', input: { ...listener, stream_id: 'camera 1' } });
    await bed.create({ id: 'tx', input: udpIn, outputs: [caller(port, { stream_id: 'camera 2' })] });
    const words = "A publisher was not let in: its stream id is not this end's stream_id.";
    expect(await says(bed, 'rx', words)).toContain('→ give the device that stream_id');
  });

  it('reports at both ends that the passphrase is wrong', async () => {
    await using bed = await FlowBed.open();
    const port = await bed.create({ id: 'rx', input: { ...listener, passphrase: 'a secret of both' } });
    const outputs = [caller(port, { passphrase: 'another secret' })];
    using _source = new TsSource({ port: await bed.create({ id: 'tx', input: udpIn, outputs }) });
    await says(bed, 'rx', /failed at .* ago: the passphrase is wrong[.]\n {2}→ give both ends the same passphrase/);
    // Nothing of what the output drops meanwhile: it has no receiver.
    await says(
      bed,
      'tx',
      /^flow tx \(tx\)\n✗ Output 'out' is not connected: the passphrase is wrong[.]\n {2}→ give both .*\n✓ .* come in[.]\n$/,
    );
    expect((await ask(bed, 'tx')).status).toBe(3);
  });

  it('reports which leg is silent, and for how long', async () => {
    await using bed = await FlowBed.open();
    const [first, second] = [await freeUdpPort(), await freeUdpPort()];
    const redundancy = { bind_addr: `127.0.0.1:${second}` };
    await bed.create({ id: 'rx', input: { type: 'rtp', bind_addr: `127.0.0.1:${first}`, redundancy } });
    let isCut = false;
    using source = new TsSource({ port: first, rtp: true }, { port: second, rtp: true, loses: () => isCut });
    await says(bed, 'rx', /✓ [\d.]+ .?bit\/s come in[.]/);
    isCut = true;
    await says(bed, 'rx', /Leg 2 has been silent for \d seconds?; the flow runs on the other leg alone[.]/);
    source.pause();
  });

  it('reports why a browser cannot play an output', async () => {
    await using bed = await FlowBed.open();
    const web = { id: 'web', name: 'Web', type: 'webrtc', mode: 'whep_server' };
    const port = await bed.create({ id: 'stage', input: udpIn, outputs: [web] });
    await says(bed, 'stage', "Nobody takes output 'web' now.");
    using source = new PictureSource(port, { withBFrames: true });
    await says(bed, 'stage', "Output 'web' cannot be played in a browser: source has B-frames.");
    expect(source.frames).toBeGreaterThan(0);
  });

  it('reports why an RTMP publisher, an RTSP server and an HLS server do not get along with a flow', async () => {
    await using bed = await FlowBed.open();
    await using origin = await HttpOrigin.start(() => ({ status: 403 }));
    await using camera = await RtspServer.start({ answer: refusesDescribe });
    await bed.create({ id: 'cam', input: { type: 'rtmp', listen_addr: '127.0.0.1:0', stream_key: 'the key' } });
    const { listen_addr: address = '' } = (await bed.running('cam')).input ?? {};
    await using publisher = await RtmpPublisher.dial(Number(address.split(':').at(-1)));
    publisher.send(rtmpGreeting, rtmpSetup('live', 'another'));
    const refused = await says(bed, 'cam', 'A publisher was not let in: the stream key is wrong.');
    expect(refused).toContain('give the publisher the stream_key of this flow');
    await bed.create({ id: 'pull', input: { type: 'rtsp', rtsp_url: `rtsp://127.0.0.1:${camera.port}/none` } });
    const absent = await says(
      bed,
      'pull',
      `There is no stream from rtsp://127.0.0.1:${camera.port}/none: DESCRIBE was`,
    );
    expect(absent).toContain('check the path of rtsp_url');
    const web = { id: 'web', name: 'Web', type: 'hls', ingest_url: origin.url, segment_duration_secs: 0.5 };
    const port = await bed.create({ id: 'up', input: udpIn, outputs: [web] });
    using source = new PictureSource(port);
    const forbidden = await says(
      bed,
      'up',
      `Output 'web' puts nothing to ${origin.url}: segment_0.ts: the server answered 403.`,
    );
    expect(forbidden).toContain('give the output the auth_token that the server wants');
    expect(source.frames).toBeGreaterThan(0);
  });
});

function refusesDescribe(method: string): string | undefined {
  return method === 'DESCRIBE' ? 'RTSP/1.0 404 Not Found\r\nCSeq: {cseq}\r\n\r\n' : undefined;
}
