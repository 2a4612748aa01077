import type { Browser } from 'playwright-core';
import { launchBrowser } from '../../support/browser.ts';
import { closePeerInPage, fakeMediaArgs, playInPage, publishInPage } from '../../support/media/rtc-page.ts';
import { freeUdpPort } from '../../support/peers/free-udp-port.ts';
import { ffmpegSource } from '../../support/peers/peer-program.ts';
import type { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';
import type { Scenario } from './scenarios.ts';

async function inBrowser(run: (browser: Browser) => Promise<void>): Promise<void> {
  const browser = await launchBrowser(fakeMediaArgs);
  try {
    await run(browser);
  } finally {
    await browser.close();
  }
}

/** A page publishes, another one plays, a third finds all places taken; then both leave. */
function pages(bed: FlowBed): Promise<void> {
  return inBrowser(async (browser) => {
    const output = { id: 'web', name: 'Web', type: 'webrtc', mode: 'whep_server', max_viewers: 1 };
    const flow = { id: 'main', name: 'Main', input: { type: 'webrtc' }, outputs: [output] };
    await bed.command({ type: 'create_flow', flow });
    const [publisher, viewer, second] = [await browser.newPage(), await browser.newPage(), await browser.newPage()];
    for (const page of [publisher, viewer, second]) await page.goto(`${bed.url}/health`);
    await publishInPage(publisher, `${bed.url}/api/v1/flows/main/whip`);
    await bed.event('main', 'WHIP publisher connected');
    await playInPage(viewer, `${bed.url}/api/v1/flows/main/whep`);
    await bed.event('main', 'WHEP viewer connected');
    await playInPage(second, `${bed.url}/api/v1/flows/main/whep`);
    await until(() => bed.messages('main').some((text) => text.startsWith('WebRTC session creation failed')));
    await closePeerInPage(viewer);
    await bed.event('main', 'WHEP viewer disconnected');
    await closePeerInPage(publisher);
    await bed.event('main', 'WHIP publisher disconnected');
  });
}

/** The publisher offers sound alone. */
async function soundAlone(bed: FlowBed): Promise<void> {
  await bed.command({ type: 'create_flow', flow: { id: 'main', name: 'Main', input: { type: 'webrtc' } } });
  await inBrowser(async (browser) => {
    const page = await browser.newPage();
    await page.goto(`${bed.url}/health`);
    await page.evaluate(`(async () => {
      const peer = new RTCPeerConnection();
      peer.addTransceiver('audio', { direction: 'sendonly' });
      await peer.setLocalDescription();
      const headers = { 'content-type': 'application/sdp' };
      await fetch('/api/v1/flows/main/whip', { method: 'POST', headers, body: peer.localDescription.sdp });
    })()`);
    await until(() => bed.messages('main').some((text) => text.startsWith('WebRTC session failed')));
  });
}

/** One flow plays from another one, whose stream is ffmpeg's. */
async function flowToFlow(bed: FlowBed): Promise<void> {
  const udp = await freeUdpPort();
  const output = { id: 'web', name: 'Web', type: 'webrtc', mode: 'whep_server' };
  await bed.create({ id: 'stage', input: { type: 'udp', bind_addr: `127.0.0.1:${udp}` }, outputs: [output] });
  await using _ffmpeg = ffmpegSource('-f', 'mpegts', `udp://127.0.0.1:${udp}?pkt_size=1316`);
  const whep = { type: 'whep', whep_url: `${bed.url}/api/v1/flows/stage/whep` };
  await bed.create({ id: 'main', input: whep });
  await until(() => bed.messages('main').includes('WHEP connected'));
  await bed.command({ type: 'stop_flow', flow_id: 'stage' });
  await until(() => bed.messages('main').includes('WHEP disconnected'));
}

export const webrtcScenarios: readonly Scenario[] = [
  { peer: 'Chromium', run: pages },
  { peer: 'Chromium, which offers sound alone', run: soundAlone },
  { peer: 'another flow, with ffmpeg as its source', run: flowToFlow },
];
