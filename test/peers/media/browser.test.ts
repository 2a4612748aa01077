import { expect, it } from 'vitest';
import { launchBrowser } from '../../support/browser.ts';
import { fakeMediaArgs, playInPage, receivedInPage } from '../../support/media/rtc-page.ts';
import { freeUdpPort } from '../../support/peers/free-udp-port.ts';
import { ffmpegSource } from '../../support/peers/peer-program.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';

it('Chromium plays over WHEP what ffmpeg sends over SRT: frames are decoded, no packet is lost', async () => {
  await using bed = await FlowBed.open();
  const port = await freeUdpPort();
  const input = { type: 'srt', mode: 'listener', local_addr: `127.0.0.1:${port}` };
  const web = { id: 'web', name: 'Web', type: 'webrtc', mode: 'whep_server', bearer_token: 'viewers' };
  await bed.create({ id: 'main', input, outputs: [web] });
  await using ffmpeg = ffmpegSource('-f', 'mpegts', `srt://127.0.0.1:${port}?pkt_size=1316`);
  await bed.event('main', 'SRT input connected (mode=listener)');
  const browser = await launchBrowser(fakeMediaArgs);
  try {
    const page = await browser.newPage();
    await page.goto(`${bed.url}/health`);
    const session = await playInPage(page, `${bed.url}/api/v1/flows/main/whep/web`, 'viewers');
    expect(session).toMatch(/^\/api\/v1\/flows\/main\/whep\/web\//);
    await bed.event('main', 'WHEP viewer connected');
    await until(async () => (await receivedInPage(page)).framesDecoded > 100);
    expect((await receivedInPage(page)).packetsLost).toBe(0);
  } finally {
    await browser.close();
  }
  expect(ffmpeg.complaints).toBe('');
});
