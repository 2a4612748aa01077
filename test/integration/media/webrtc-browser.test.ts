import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../../support/browser.ts';
import {
  closePeerInPage,
  fakeMediaArgs,
  playInPage,
  publishInPage,
  receivedInPage,
} from '../../support/media/rtc-page.ts';
import { repository } from '../../support/markdown.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';

const whepServer = { id: 'web', name: 'Web', type: 'webrtc', mode: 'whep_server', max_viewers: 1 };

/** A flow that a browser publishes to, and others play from. */
async function openStage(input: object = {}): Promise<FlowBed> {
  const bed = await FlowBed.open();
  const flow = { id: 'main', name: 'Main', input: { type: 'webrtc', ...input }, outputs: [whepServer] };
  await bed.command({ type: 'create_flow', flow });
  return bed;
}

async function pageOf(browser: Browser, bed: FlowBed): Promise<Page> {
  const page = await browser.newPage();
  // Pages of this machine may use a camera; this one is plain text and has no policy of its own.
  await page.goto(`${bed.url}/health`);
  return page;
}

/** Opens the viewer of examples/media.md, and resolves once it plays. */
async function watch(browser: Browser, bed: FlowBed): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`file://${repository}/examples/media/viewer.html?url=${bed.url}/api/v1/flows/main/whep`);
  await bed.event('main', 'WHEP viewer connected');
  return page;
}

/** Its session has ended by a farewell, not by ten seconds of silence. */
const farewell: unknown = expect.stringMatching(/^the (viewer has ended|peer has closed) the session$/);

describe('a browser', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser(fakeMediaArgs);
  });

  afterAll(() => browser.close());

  it('publishes with WHIP, and another page plays it with WHEP: frames are decoded, no packet is lost', async () => {
    await using bed = await openStage();
    const publisher = await pageOf(browser, bed);
    const session = await publishInPage(publisher, `${bed.url}/api/v1/flows/main/whip`);
    expect(session).toMatch(/^\/api\/v1\/flows\/main\/whip\/session\/[0-9a-f]{32}$/);
    await bed.event('main', 'WHIP publisher connected');
    await until(async () => ((await bed.flow('main'))?.input?.bitrate_bps ?? 0) > 50_000);
    expect(await bed.flow('main')).toMatchObject({
      tr101290: { continuity_errors: 0 },
      media_analysis: { programs: [{ streams: [{ codec: 'H.264' }, { codec: 'Opus' }] }] },
    });

    const viewer = await pageOf(browser, bed);
    const watching = await playInPage(viewer, `${bed.url}/api/v1/flows/main/whep`);
    await bed.event('main', 'WHEP viewer connected');
    await until(async () => (await receivedInPage(viewer)).framesDecoded > 30);
    expect((await receivedInPage(viewer)).packetsLost).toBe(0);

    const second = await pageOf(browser, bed);
    const url = `${bed.url}/api/v1/flows/main/whep`;
    expect(await playInPage(second, url)).toMatch(/^503: .*too many viewers/);
    await bed.event('main', 'WebRTC session creation failed: too many viewers (max_viewers 1)');

    expect((await fetch(bed.url + watching, { method: 'DELETE' })).status).toBe(200);
    await bed.event('main', 'WHEP viewer disconnected');
    await closePeerInPage(publisher);
    const gone = await bed.event('main', 'WHIP publisher disconnected');
    expect(gone).toMatchObject({ reason: 'the peer has closed the session' });
  });

  it('says goodbye when the tab of the viewer is closed', async () => {
    await using bed = await openStage();
    const page = await watch(browser, bed);
    await page.close();
    expect(await bed.event('main', 'WHEP viewer disconnected')).toMatchObject({ reason: farewell });
  });

  it('says goodbye when it leaves the page of the viewer, and plays again when it comes back', async () => {
    await using bed = await openStage();
    const page = await watch(browser, bed);
    await page.goto('about:blank');
    expect(await bed.event('main', 'WHEP viewer disconnected')).toMatchObject({ reason: farewell });
    await page.goBack();
    const connected = (): number => bed.messages('main').filter((text) => text === 'WHEP viewer connected').length;
    await until(() => connected() === 2);
    await page.close();
  });

  it('shows its token, sees when the flow stops, and is missed after it was killed', async () => {
    await using bed = await openStage({ bearer_token: 'publishers' });
    const publisher = await pageOf(browser, bed);
    const url = `${bed.url}/api/v1/flows/main/whip`;
    expect(await publishInPage(publisher, url)).toMatch(/^401: /);
    await publishInPage(publisher, url, 'publishers');
    await bed.event('main', 'WHIP publisher connected');
    await bed.command({ type: 'restart_flow', flow_id: 'main' });
    const state = (): Promise<string> => publisher.evaluate('globalThis.peer.getSenders()[0].transport.state');
    await until(async () => (await state()) !== 'connected');

    const killed = await launchBrowser(fakeMediaArgs);
    await publishInPage(await pageOf(killed, bed), url, 'publishers');
    const connected = (): number =>
      bed.messages('main').filter((message) => message === 'WHIP publisher connected').length;
    await until(() => connected() === 2);
    await killed.close();
    const gone = await bed.event('main', 'WHIP publisher disconnected');
    expect(gone).toMatchObject({ reason: 'nothing came for 10 s' });
  });
});
