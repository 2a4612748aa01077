import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { readPcr } from '../../../src/media/mpegts/pcr-watch.ts';
import { launchBrowser } from '../../support/browser.ts';
import { freeTcpPort } from '../../support/manager/free-tcp-port.ts';
import { HttpOrigin } from '../../support/media/http-origin.ts';
import {
  closePeerInPage,
  fakeMediaArgs,
  playInPage,
  publishInPage,
  receivedInPage,
} from '../../support/media/rtc-page.ts';
import { checkStream } from '../../support/media/stream-check.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { ffmpegSource } from '../../support/peers/peer-program.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';
import { count, eventAfterMs, ms, out, toSink, type Check, type Outcome } from './check.ts';

const packetBytes = 188;

/** The longest time between two clocks of the stream. */
function widestPcrGapMs(stream: Buffer): number {
  let widest = 0;
  let last: number | null = null;
  for (let at = 0; at + packetBytes <= stream.length; at += packetBytes) {
    const hasClock =
      ((stream[at + 3] ?? 0) & 0x20) !== 0 && (stream[at + 4] ?? 0) > 0 && ((stream[at + 5] ?? 0) & 0x10) !== 0;
    if (!hasClock) continue;
    const ticks = readPcr(stream, at + 6);
    if (last !== null) widest = Math.max(widest, (ticks - last) / 27_000);
    last = ticks;
  }
  return widest;
}

async function rtmp(): Promise<Outcome> {
  await using bed = await FlowBed.open();
  await using sink = await LocalUdpSocket.open();
  const port = await freeTcpPort();
  const input = { type: 'rtmp', listen_addr: `127.0.0.1:${port}` };
  await bed.create({ id: 'main', input, outputs: [toSink(sink)] });
  await using ffmpeg = ffmpegSource('-t', '20', '-f', 'flv', `rtmp://127.0.0.1:${port}/live/any`);
  await eventAfterMs(bed, 'main', /^RTMP publisher disconnected/);
  await ffmpeg.ends();
  const stream = Buffer.concat(sink.received);
  const { continuityErrors } = checkStream(stream);
  const gap = widestPcrGapMs(stream);
  return {
    shows: `PCR gap ${gap.toFixed(1)} ms at most in 20 s, ${continuityErrors} continuity errors`,
    held: gap <= 40 && continuityErrors === 0,
  };
}

/** A page with hls.js plays what an output puts to a server. */
async function hls(script: string): Promise<Outcome> {
  await using bed = await FlowBed.open();
  await using origin = await HttpOrigin.start(() => ({ status: 201 }));
  const port = await freeTcpPort();
  const web = { type: 'hls', ingest_url: origin.url, segment_duration_secs: 1, max_segments: 10 };
  await bed.create({ id: 'main', input: { type: 'rtmp', listen_addr: `127.0.0.1:${port}` }, outputs: [out(web)] });
  await using _ffmpeg = ffmpegSource('-f', 'flv', `rtmp://127.0.0.1:${port}/live/any`);
  await until(() => origin.playlist.includes('segment_3.ts'));
  const page = `<!doctype html><video muted></video><script>${readFileSync(script, 'utf8')}</script><script>
    const hls = new Hls();
    hls.loadSource('/playlist.m3u8');
    hls.attachMedia(document.querySelector('video'));
    hls.on(Hls.Events.ERROR, (_, { fatal, details }) => { if (fatal) document.title = details; });
    hls.on(Hls.Events.MANIFEST_PARSED, () => document.querySelector('video').play());
  </script>`;
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? '';
    if (name === '') response.setHeader('content-type', 'text/html');
    response.end(name === '' ? page : origin.documents.get(name));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  try {
    return await inBrowser(async (browser) => {
      const tab = await browser.newPage();
      await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const shown = `(() => { const v = document.querySelector('video'); const { totalVideoFrames: f } = v.getVideoPlaybackQuality(); return { f, t: v.currentTime }; })()`;
      const play = (): Promise<{ f: number; t: number }> => tab.evaluate(shown);
      await until(async () => (await play()).f > 250);
      const { f, t } = await play();
      const fatal = await tab.title();
      return { shows: `${f} pictures in ${t.toFixed(1)} s${fatal === '' ? '' : `, ${fatal}`}`, held: fatal === '' };
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function inBrowser<Value>(run: (browser: Browser) => Promise<Value>): Promise<Value> {
  const browser = await launchBrowser(fakeMediaArgs);
  try {
    return await run(browser);
  } finally {
    await browser.close();
  }
}

async function pageOf(browser: Browser, bed: FlowBed): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${bed.url}/health`);
  return page;
}

/** One page publishes and another one plays; how soon each is missed, however it goes. */
async function browsers(): Promise<Outcome> {
  await using bed = await FlowBed.open();
  const web = { id: 'web', name: 'Web', type: 'webrtc', mode: 'whep_server' };
  await bed.create({ id: 'main', input: { type: 'webrtc' }, outputs: [web] });
  const [whip, whep] = ['whip', 'whep'].map((end) => `${bed.url}/api/v1/flows/main/${end}`) as [string, string];
  const left = /^WHEP viewer disconnected/;
  return await inBrowser(async (browser) => {
    const publisher = await pageOf(browser, bed);
    await publishInPage(publisher, whip);
    const viewer = await pageOf(browser, bed);
    await playInPage(viewer, whep);
    await until(async () => (await receivedInPage(viewer)).framesDecoded > 250);
    const { framesDecoded, packetsLost } = await receivedInPage(viewer);
    await closePeerInPage(viewer);
    const closedMs = await eventAfterMs(bed, 'main', left);

    const session = await playInPage(viewer, whep);
    await eventAfterMs(bed, 'main', /^WHEP viewer connected/, 2);
    await fetch(bed.url + session, { method: 'DELETE' });
    const deletedMs = await eventAfterMs(bed, 'main', left, 2);

    const killedMs = await inBrowser(async (other) => {
      await playInPage(await pageOf(other, bed), whep);
      await eventAfterMs(bed, 'main', /^WHEP viewer connected/, 3);
    }).then(() => eventAfterMs(bed, 'main', left, 3));
    await closePeerInPage(publisher);
    const unpublishedMs = await eventAfterMs(bed, 'main', /^WHIP publisher disconnected/);
    const soon = Math.max(closedMs, deletedMs, unpublishedMs);
    return {
      shows:
        `${framesDecoded} frames decoded, ${packetsLost} packets lost; disconnected ${ms(closedMs)} after close(), ` +
        `${ms(deletedMs)} after DELETE, ${ms(killedMs)} after the browser was killed; ` +
        `publisher ${ms(unpublishedMs)} after close(); ${count(bed, 'main', left)} viewers disconnected`,
      held: packetsLost === 0 && soon < 500 && killedMs <= 11_000,
    };
  });
}

/** `hlsJs` is the file of hls.js; null where there is none. */
export function webChecks(hlsJs: string | null): readonly Check[] {
  return [
    { row: 'RTMP', peer: 'ffmpeg', must: 'PCR gap ≤ 40 ms', run: rtmp },
    ...(hlsJs === null
      ? []
      : [{ row: 'HLS', peer: 'hls.js in Chromium', must: 'played, no fatal error', run: () => hls(hlsJs) }]),
    {
      row: 'WHIP/WHEP',
      peer: 'Chromium',
      must: 'frames decoded, 0 lost; disconnected < 0.5 s after close or DELETE, ≤ 11 s after a kill',
      run: browsers,
    },
  ];
}
