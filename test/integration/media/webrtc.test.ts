import { describe, expect, it } from 'vitest';
import { isVideo, type MediaUnit, type VideoUnit } from '../../../src/media/codec/media-unit.ts';
import { TsDemuxer } from '../../../src/media/mpegts/ts-demuxer.ts';
import { picture } from '../../support/media/media-samples.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { PictureSource } from '../../support/peers/picture-source.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';

const udpIn = { type: 'udp', bind_addr: '127.0.0.1:0' };

function udpOut(sink: LocalUdpSocket): Record<string, unknown> {
  return { id: 'tv', name: 'TV', type: 'udp', dest_addr: sink.addr };
}

function whepServer(changes: object = {}): Record<string, unknown> {
  return { id: 'web', name: 'Web', type: 'webrtc', mode: 'whep_server', ...changes };
}

function unitsIn(sink: LocalUdpSocket): readonly MediaUnit[] {
  const demuxer = new TsDemuxer();
  return sink.received.flatMap((datagram) => demuxer.push(datagram));
}

function picturesIn(sink: LocalUdpSocket): VideoUnit[] {
  return unitsIn(sink).filter(isVideo);
}

/** The slices of the source's first pictures, by their content. */
function slices(count: number): Set<string> {
  const all = Array.from({ length: count }, (_, number) => {
    const isKey = number % 12 === 0;
    return (
      picture('h264', number * 3600, isKey, isKey ? 20_000 : 3000)
        .nals.at(-1)
        ?.toString('base64') ?? ''
    );
  });
  return new Set(all);
}

/** Every picture is one of the source's, whole, and the first one is a key frame. */
function expectWhole(pictures: readonly VideoUnit[], frames: number): void {
  expect(pictures[0]?.isKey).toBe(true);
  const known = slices(frames);
  const strange = pictures.filter(({ nals }) => !known.has(nals.at(-1)?.toString('base64') ?? ''));
  expect(strange.map(({ nals }) => nals.map((nal) => `${nal[0]}:${nal.length}`))).toEqual([]);
}

describe('WebRTC between two flows', () => {
  it('plays from a WHEP server to a WHEP client, pictures and sound whole', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const port = await bed.create({ id: 'stage', input: udpIn, outputs: [whepServer({ bearer_token: 'viewers' })] });
    using source = new PictureSource(port, { withSound: true });
    await until(async () => ((await bed.flow('stage'))?.input?.packets_received ?? 0) > 50);
    const input = { type: 'whep', whep_url: `${bed.url}/api/v1/flows/stage/whep`, bearer_token: 'viewers' };
    await bed.create({ id: 'screen', input, outputs: [udpOut(sink)] });
    await bed.event('screen', 'WHEP connected');
    await bed.event('stage', 'WHEP viewer connected');
    await until(() => picturesIn(sink).length >= 50);
    expectWhole(picturesIn(sink), source.frames);
    expect(unitsIn(sink).filter(({ codec }) => codec === 'opus').length).toBeGreaterThan(50);
    await until(async () => (await bed.flow('stage'))?.outputs[0]?.viewers === 1);
    const stats = await bed.running('screen');
    expect(stats).toMatchObject({ input: { state: 'connected' }, tr101290: { continuity_errors: 0 } });

    await bed.command({ type: 'stop_flow', flow_id: 'screen' });
    const gone = await bed.event('stage', 'WHEP viewer disconnected');
    // The end of its DTLS session may come before its DELETE.
    const reason = expect.stringMatching(/^the (viewer has ended|peer has closed) the session$/) as string;
    expect(gone).toMatchObject({ output_id: 'web', reason });
  });

  it('publishes with a WHIP client to a WHIP server, and comes back by itself after the server', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const input = { type: 'webrtc', bearer_token: 'publishers' };
    const studio = { id: 'studio', name: 'Studio', input, outputs: [udpOut(sink)] };
    await bed.command({ type: 'create_flow', flow: studio });
    const whip = { id: 'out', name: 'Out', type: 'webrtc', bearer_token: 'publishers' };
    const whipUrl = `${bed.url}/api/v1/flows/studio/whip`;
    const port = await bed.create({ id: 'camera', input: udpIn, outputs: [{ ...whip, whip_url: whipUrl }] });
    await bed.event('studio', 'WHIP publisher connected');
    using source = new PictureSource(port, { withSound: true });
    await until(() => picturesIn(sink).length >= 40);
    expectWhole(picturesIn(sink), source.frames);
    expect(await bed.flow('camera')).toMatchObject({ outputs: [{ state: 'connected', whip_url: whipUrl }] });

    await bed.command({ type: 'restart_flow', flow_id: 'studio' });
    await bed.event('camera', `WebRTC session creation failed: ${whipUrl}: the peer has closed the session`);
    const connected = (): number =>
      bed.messages('studio').filter((message) => message === 'WHIP publisher connected').length;
    await until(() => connected() === 2);
    const before = picturesIn(sink).length;
    await until(() => picturesIn(sink).length >= before + 20);
    expect(bed.messages('camera')).toHaveLength(2);
  });

  it('refuses a second publisher while one is live, and a source that browsers cannot play', async () => {
    await using bed = await FlowBed.open();
    await bed.command({ type: 'create_flow', flow: { id: 'studio', name: 'Studio', input: { type: 'webrtc' } } });
    const url = `${bed.url}/api/v1/flows/studio/whip`;
    const whip = (id: string) => [{ id, name: id, type: 'webrtc', whip_url: url }];
    await bed.create({ id: 'first', input: udpIn, outputs: whip('one') });
    await bed.event('studio', 'WHIP publisher connected');
    const port = await bed.create({ id: 'second', input: udpIn, outputs: whip('two') });
    await until(() => bed.messages('second').some((message) => message.includes('answered 409')));
    expect(bed.messages('second').at(-1)).toMatch(
      /^WebRTC session creation failed: http:.* answered 409 .*publisher is live/,
    );

    using source = new PictureSource(port, { withBFrames: true });
    await bed.event('second', 'WebRTC session creation failed: source has B-frames');
    expect(source.frames).toBeGreaterThan(1);
  });
});
