import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { launchBrowser } from '../../support/browser.ts';
import { fences, listFiles, readPage, repository } from '../../support/markdown.ts';
import { fakeMediaArgs, receivedInPage } from '../../support/media/rtc-page.ts';
import { until } from '../../support/until.ts';

/** A checkout as a user has it, and terminals in it. */
class Desk implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'adit-example-'));
  readonly #running: ChildProcess[] = [];

  constructor() {
    for (const file of listFiles()) cpSync(join(repository, file), join(this.folder, file));
    symlinkSync(join(repository, 'node_modules'), join(this.folder, 'node_modules'));
  }

  /** What it prints, on either output. */
  type(command: string): string {
    return execFileSync('bash', ['-euo', 'pipefail', '-c', `${command} 2>&1`], { cwd: this.folder, encoding: 'utf8' });
  }

  /** Resolves when the program has said these words. */
  async leaveRunning(command: string, says: RegExp | null = null): Promise<void> {
    const child = spawn('bash', ['-c', `exec ${command}`], { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#running.push(child);
    let output = '';
    child.stderr.on('data', (text: Buffer) => (output += text.toString()));
    if (says !== null) await until(() => says.test(output), { what: `${command}: ${String(says)}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#running.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of this.#running) child.kill('SIGTERM');
    await Promise.all(ended);
    rmSync(this.folder, { recursive: true });
  }
}

it('examples/media.md carries a camera through a tunnel to a player and a browser, as it is written', async () => {
  await using desk = new Desk();
  const [make = '', start = '', camera = '', play = '', browse = ''] = fences(readPage('examples/media.md'))
    .filter(({ info }) => info === 'console')
    .map(({ text }) => text.trim());
  desk.type(make);
  for (const command of start.split('\n')) await desk.leaveRunning(command, /(relay|edge) started/);
  await desk.leaveRunning(camera);
  const why = (): string => {
    // Its status is 3 while something is wrong.
    return desk.type('bin/adit why studio --seconds 1 -c media/edge-ingress.json || true');
  };
  await until(() => /come in[.]/.test(why()), { what: 'the studio gets the camera' });
  expect(desk.type(play)).not.toMatch(/continuity|corrupt|concealing|refused|error while/i);

  const url = /http:\S+whep/.exec(browse)?.[0] ?? '';
  const { api_addr: api } = JSON.parse(readFileSync(join(desk.folder, 'media/edge-ingress.json'), 'utf8')) as {
    api_addr: string;
  };
  expect(url).toContain(`http://${api}/`);
  const browser = await launchBrowser(fakeMediaArgs);
  try {
    const page = await browser.newPage();
    await page.goto(`file://${desk.folder}/examples/media/viewer.html?url=${url}`);
    await until(async () => (await receivedInPage(page)).framesDecoded > 50);
    expect((await receivedInPage(page)).packetsLost).toBe(0);
  } finally {
    await browser.close();
  }
});
