import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { launchBrowser } from '../../support/browser.ts';
import { fakeMediaArgs, playInPage, receivedInPage } from '../../support/media/rtc-page.ts';
import { checkStream } from '../../support/media/stream-check.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { PeerProgram } from '../../support/peers/peer-program.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';

const script = fileURLToPath(new URL('whip-publisher.py', import.meta.url));
const input = { type: 'webrtc', bearer_token: 'publishers' };

/** GStreamer's webrtcbin. Debian's Python: it has GStreamer's bindings. */
function gstreamerPublisher(bed: FlowBed, token = 'publishers'): PeerProgram {
  return new PeerProgram('/usr/bin/python3', [script, `${bed.url}/api/v1/flows/cam/whip`, token]);
}

function tv(sink: LocalUdpSocket): Record<string, unknown> {
  return { id: 'tv', name: 'TV', type: 'udp', dest_addr: sink.addr };
}

describe('GStreamer as a WHIP publisher', () => {
  it('has its H.264 and Opus carried without an error, and its DELETE ends the session', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    await bed.create({ id: 'cam', input, outputs: [tv(sink)] });
    await using publisher = gstreamerPublisher(bed);
    await bed.event('cam', 'WHIP publisher connected');
    const codecs = async (): Promise<unknown> =>
      (await bed.running('cam')).media_analysis?.programs[0]?.streams.map(({ codec }) => codec).join(' ');
    await until(async () => (await codecs()) === 'H.264 Opus', { what: `a stream; ${publisher.complaints}` });
    await until(() => sink.received.length >= 800);
    const stream = checkStream(Buffer.concat(sink.received));
    expect(stream).toMatchObject({ continuityErrors: 0, syncErrors: 0, codecs: ['H.264', 'Opus'] });

    publisher.kill('SIGTERM');
    const gone = await bed.event('cam', 'WHIP publisher disconnected');
    expect(gone).toMatchObject({ reason: 'the publisher has ended the session' });
    expect(await publisher.ends()).toBe(0);
  });

  it('is played by Chromium: frames are decoded, no packet is lost', async () => {
    await using bed = await FlowBed.open();
    const web = { id: 'web', name: 'Web', type: 'webrtc', mode: 'whep_server' };
    await bed.create({ id: 'cam', input, outputs: [web] });
    await using publisher = gstreamerPublisher(bed);
    await bed.event('cam', 'WHIP publisher connected');
    const browser = await launchBrowser(fakeMediaArgs);
    try {
      const page = await browser.newPage();
      await page.goto(`${bed.url}/health`);
      await playInPage(page, `${bed.url}/api/v1/flows/cam/whep`);
      await until(async () => (await receivedInPage(page)).framesDecoded > 50);
      expect((await receivedInPage(page)).packetsLost).toBe(0);
    } finally {
      await browser.close();
    }
    publisher.kill('SIGKILL');
    expect(await bed.event('cam', 'WHIP publisher disconnected')).toMatchObject({ reason: 'nothing came for 10 s' });
  });

  it('is refused with a wrong token, and while another one is live', async () => {
    await using bed = await FlowBed.open();
    await bed.create({ id: 'cam', input });
    await using stranger = gstreamerPublisher(bed, 'viewers');
    await until(() => stranger.complaints.includes('401'));
    await using _first = gstreamerPublisher(bed);
    await bed.event('cam', 'WHIP publisher connected');
    await using second = gstreamerPublisher(bed);
    await until(() => second.complaints.includes('409'));
    expect(bed.messages('cam').filter((text) => text.startsWith('WHIP publisher'))).toHaveLength(1);
  });
});
