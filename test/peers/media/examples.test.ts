import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../../src/cli/demo/free-port.ts';
import type { FlowStatsReport } from '../../../src/edge/admin/flow-schemas.ts';
import { launchBrowser } from '../../support/browser.ts';
import { fences, listFiles, readPage } from '../../support/markdown.ts';
import { fakeMediaArgs, receivedInPage } from '../../support/media/rtc-page.ts';
import { Reader } from '../../support/programs/reader.ts';
import { until } from '../../support/until.ts';

type Nine = [string, string, string, string, string, string, string, string, string];

/** Players of this machine have no screen and no loudspeaker. */
const unseen = { SDL_VIDEODRIVER: 'dummy', SDL_AUDIODRIVER: 'dummy' };
/** ffplay prints the time of the stream that it shows. */
const shown = / \d+\.\d+ A-V:/;
const damage = /continuity|corrupt|concealing|refused|error while/i;

/** What a page of examples tells people to type, block by block. Every address in it has a port of its own here. */
class Example {
  readonly reader = new Reader();
  readonly #ports = new Map<string, number>();

  async blocks(page: string, folder: string): Promise<string[]> {
    const blocks = fences(readPage(page)).filter(({ info }) => info === 'console');
    const files = listFiles(folder).map((path) => [path, readPage(path)] as const);
    const texts = [...blocks.map(({ text }) => text.trim()), ...files.map(([, text]) => text)];
    for (const text of texts) {
      for (const [, port = ''] of text.matchAll(/127\.0\.0\.1:(\d+)/g)) {
        if (!this.#ports.has(port)) this.#ports.set(port, await freePort());
      }
    }
    for (const [path, text] of files) this.reader.save(path, this.here(text));
    return texts.slice(0, blocks.length).map((text) => this.here(text));
  }

  here(text: string): string {
    return text.replaceAll(/127\.0\.0\.1:(\d+)/g, (whole, port: string) => {
      const mine = this.#ports.get(port);
      return mine === undefined ? whole : `127.0.0.1:${mine}`;
    });
  }

  /** What an edge says of a flow. */
  async flow(api: string, id: string): Promise<FlowStatsReport | undefined> {
    const flows = (await (await fetch(`http://${api}/api/v1/flows`)).json()) as FlowStatsReport[];
    return flows.find(({ flow_id }) => flow_id === id);
  }

  /** Opens what `xdg-open` is given, until so many pictures were decoded. */
  async watch(command: string): Promise<void> {
    const [, url = ''] = /xdg-open "(.*)"/.exec(command) ?? [];
    const browser = await launchBrowser(fakeMediaArgs);
    try {
      const page = await browser.newPage();
      await page.goto(url.replace('$PWD', this.reader.folder));
      await until(async () => (await receivedInPage(page)).framesDecoded > 50, { what: `pictures of ${url}` });
      expect((await receivedInPage(page)).packetsLost).toBe(0);
    } finally {
      await browser.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.reader[Symbol.asyncDispose]();
  }
}

describe('the examples of media, as they are written', () => {
  it('media.md carries a camera to a studio and a browser, and a picture back, through tunnels', async () => {
    await using example = new Example();
    const { reader } = example;
    const blocks = await example.blocks('examples/media.md', 'examples/media');
    const [make, start, camera, play, check, back, playBack, checkBack, watch] = blocks as Nine;
    reader.type(make);
    reader.change('media/relay.json', {
      quic_addrs: [example.here('127.0.0.1:4433')],
      api_addrs: [`127.0.0.1:${await freePort()}`],
    });
    const studio = example.here('127.0.0.1:4482');
    expect(reader.read('media/edge-ingress.json')).toContain('"127.0.0.1:4482"');
    reader.change('media/edge-ingress.json', { api_addr: studio });
    const venue = `127.0.0.1:${await freePort()}`;
    reader.change('media/edge-egress.json', { api_addr: venue });

    for (const command of start.split('\n')) await reader.startInBackground(command);
    for (const command of [camera, back]) await reader.leaveRunning(command, { says: /frame= *\d+/ });
    const arrives = async (api: string, id: string): Promise<boolean> =>
      ((await example.flow(api, id))?.media_analysis?.programs[0]?.streams.length ?? 0) === 2;
    await until(() => arrives(studio, 'studio'), { what: 'the studio gets the camera' });
    await until(() => arrives(venue, 'return'), { what: 'the venue gets the picture of the studio' });

    for (const command of [play, playBack]) await reader.leaveRunning(command, { says: shown, env: unseen });
    for (const command of [check, checkBack]) expect(reader.type(`${command} 2>&1`)).not.toMatch(damage);
    await example.watch(watch);
    for (const [api, id] of [
      [studio, 'studio'],
      [venue, 'return'],
    ] as const) {
      expect(await example.flow(api, id)).toMatchObject({ tr101290: { continuity_errors: 0 } });
    }
  });

  it('obs.md has OBS stream and record to an edge, and a browser plays both', async () => {
    await using example = new Example();
    const { reader } = example;
    const blocks = await example.blocks('examples/obs.md', 'examples/obs');
    const [edge, settings, obs, watch] = blocks as [string, string, string, string];
    await reader.startInBackground(edge);
    const HOME = join(reader.folder, 'home');
    const env = { HOME, XDG_CONFIG_HOME: join(HOME, '.config'), XDG_RUNTIME_DIR: HOME };
    // Its wizard of the first start would wait for an answer.
    reader.save('home/.config/obs-studio/global.ini', '[General]\nFirstRun=true\n');
    reader.type(settings, env);
    await reader.leaveRunning(`xvfb-run -a ${obs}`, { says: /Streaming Start/, env });

    const api = example.here('127.0.0.1:4481');
    const codecs = async (id: string): Promise<string> => {
      const programs = (await example.flow(api, id))?.media_analysis?.programs ?? [];
      return programs.flatMap(({ streams }) => streams.map(({ codec }) => codec)).join(' ');
    };
    await until(async () => (await codecs('rtmp')) === 'H.264 AAC', { what: 'OBS by RTMP' });
    await until(async () => (await codecs('srt')) === 'H.264 Opus', { what: 'OBS by SRT' });
    for (const command of watch.split('\n')) await example.watch(command);
    for (const id of ['rtmp', 'srt']) {
      expect(await example.flow(api, id)).toMatchObject({ tr101290: { continuity_errors: 0 } });
    }
  });
});
