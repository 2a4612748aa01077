import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { launchBrowser, openPage } from '../support/browser.ts';
import { fakeMediaArgs, receivedInPage } from '../support/media/rtc-page.ts';
import { builtEngines } from '../support/programs/engines.ts';
import { isAlive, KeptDemo } from '../support/programs/kept-demo.ts';
import { until } from '../support/until.ts';

const adit = resolve(import.meta.dirname, '../../bin/adit');

describe('adit demo', () => {
  it('carries TCP both ways and a UDP stream through a relay and two edges, and reports that all is well', async () => {
    const { stdout } = await promisify(execFile)(adit, [
      'demo',
      '--seconds',
      '2',
      '--megabytes',
      '10',
      '--rate',
      '500',
      '--compare',
      '1',
    ]);
    expect(stdout).toContain('relay and edges have registered with the manager');
    expect(stdout).toContain('the manager has made two tunnels');
    expect(stdout).toContain('both hashes equal');
    expect(stdout).toMatch(/UDP {2}1000 packets of 1332 bytes sent, \d+ lost, 0 damaged/);
    // 10 MB may take less than the second after which there is a line.
    expect(stdout).toMatch(/^udp +\d+ packets\/s +[\d.]+ ms \+ +[\d.]+ ms +[\d.]+ % \+ +[\d.]+ % {2}dropped \d+$/m);
    // Those with a pid name files, whose folder may have a long name.
    const lines = stdout.split('\n').filter((line) => !line.includes(' pid '));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const isNativeBuilt = (await builtEngines()).includes('native');
    const compared = /engine native \d+ MB\/s, engine quiche \d+ MB\/s \(native \d+\.\d times as fast\)$/m;
    expect(stdout).toMatch(isNativeBuilt ? compared : /^TCP one way on engine quiche: \d+ MB\/s; the native/m);
    // The order of a stop of three seconds: silent while it lasts, back after it.
    expect(stdout).toMatch(
      /SIGSTOP.*\n {2}after [0-2]\.\d s: Process the relay \(\d+\) has been silent for \d+ ms\n {2}after [3-9]\.\d s: .* beats again\n/,
    );
    expect(stdout).toContain('\nall well\n');
  });

  it('with --keep prints a link to the page of its manager, and leaves nothing behind after Ctrl-C', async () => {
    await using demo = new KeptDemo(['--seconds', '1', '--megabytes', '1', '--compare', '0']);
    const link = await demo.prints(/^ {2}(https:\/\/127[.]0[.]0[.]1:\d+\/first-admin#\S+)$/m);
    const browser = await launchBrowser();
    try {
      const { page, faults } = await openPage(browser);
      await page.goto(link);
      await page.getByLabel('Password').fill('a passphrase of the demo');
      await page.getByRole('button', { name: 'Create and sign in' }).click();
      await page.getByRole('link', { name: 'Tunnels', exact: true }).first().click();
      await page.getByRole('row', { name: /demo-udp.*Pushed.*Running/ }).waitFor();
      await page.getByRole('row', { name: /demo-tcp.*Pushed.*Running/ }).waitFor();
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
    }
    const { status, folder, pids } = await demo.interrupt();
    expect(status).toBe(0);
    expect(pids).toHaveLength(5);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  }, 300_000);

  it('with --media carries a picture by SRT, flow, tunnel and flow to a page where Chromium plays it', async () => {
    await using demo = new KeptDemo(['--media', '--seconds', '1', '--megabytes', '1', '--compare', '0']);
    const url = await demo.prints(/^ {2}(http:\/\/127[.]0[.]0[.]1:\d+\/[?]url=\S+\/whep)$/m);
    const browser = await launchBrowser(fakeMediaArgs);
    try {
      const { page, faults } = await openPage(browser);
      await page.goto(url);
      // Two rounds of the clip of four seconds, so that its seam is among them.
      const played = async (): Promise<boolean> => (await receivedInPage(page)).framesDecoded > 120;
      await until(played, { what: 'Chromium decodes frames', timeoutMs: 120_000, pollMs: 500 });
      expect(await page.evaluate('document.querySelector("video").videoWidth')).toBe(320);
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
    }
    expect((await demo.interrupt()).output).toMatch(/^media +\d+ kbit\/s {2}Healthy, \d+ continuity errors$/m);
  }, 400_000);

  it.each([/^manager +pid (\d+)/m, /^(the same programs once more)/m])(
    'stops what it has started when Ctrl-C comes after the line %s',
    async (line) => {
      await using demo = new KeptDemo(['--seconds', '1', '--megabytes', '1']);
      await demo.prints(line);
      const { status, folder, pids, output } = await demo.interrupt();
      expect(output).toMatch(/adit: interrupted by SIGINT\n$/);
      expect(status).toBe(1);
      expect(pids.filter(isAlive)).toEqual([]);
      expect(existsSync(folder)).toBe(false);
    },
    300_000,
  );

  it('ends with status 2 and a remedy on a wrong flag', async () => {
    const failure: unknown = await promisify(execFile)(adit, ['demo', '--rate', 'fast']).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 2 });
    expect(String(failure)).toContain('must be a whole number above 0');
  });
});
