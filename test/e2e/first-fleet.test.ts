import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { freePort } from '../../src/cli/demo/free-port.ts';
import { launchBrowser, openPage } from '../support/browser.ts';
import { readPage } from '../support/markdown.ts';
import { pageSteps, type PageStep } from '../support/page-steps.ts';
import { Reader } from '../support/programs/reader.ts';

type BrowserStep = Exclude<PageStep, { readonly command: string }>;

/** The steps between the first heading with a number and the outlook at the end. */
function stepsOfPage(): readonly PageStep[] {
  const [, steps = ''] = /^(## 1[.] [\s\S]*)^## On three machines$/m.exec(readPage('docs/first-fleet.md')) ?? [];
  return pageSteps(steps);
}

/** Ports of the page that may be taken here, each with a free one in its place. */
async function portsHere(): Promise<(text: string) => string> {
  const ports = new Map<string, number>();
  for (const port of ['4433', '4480', '5000']) ports.set(port, await freePort());
  return (text) => text.replaceAll(/(?<=127[.]0[.]0[.]1:)\d+/g, (port) => String(ports.get(port) ?? port));
}

async function fill(page: Page, label: string, value: string): Promise<void> {
  const field = page.getByLabel(label, { exact: true });
  await field.waitFor();
  const isChoice = (await page.locator('select').and(field).count()) > 0;
  if (!isChoice) {
    await field.fill(value);
    return;
  }
  // Whose words begin so: "TCP: streams".
  const option = field.locator('option').filter({ hasText: new RegExp(`^${value}(:|$)`) });
  await option.waitFor({ state: 'attached' });
  await field.selectOption((await option.getAttribute('value')) ?? '');
}

async function press(page: Page, words: string): Promise<void> {
  const named = { name: words, exact: true } as const;
  await page.getByRole('button', named).or(page.getByRole('link', named)).first().click();
}

it('docs/first-fleet.md: who follows it has a manager, a relay, two edges and a tunnel that carries a request', async () => {
  await using reader = new Reader();
  const here = await portsHere();
  const manager = `127.0.0.1:${await freePort()}`;
  const browser = await launchBrowser();
  try {
    const { page, faults } = await openPage(browser);
    const start = async (command: string): Promise<void> => {
      const output = await reader.startInBackground(here(command).trim(), { ADIT_LISTEN: manager });
      const [link] = /https:\S+\/first-admin#\S+/.exec(output) ?? [];
      if (link !== undefined) await page.goto(link);
    };
    const inBrowser = async (step: BrowserStep): Promise<void> => {
      if (step.kind === 'fill') await fill(page, step.label, here(step.value));
      else if (step.kind === 'press') await press(page, step.words);
      else if (step.kind === 'wait') await page.getByText(step.words, { exact: true }).waitFor();
      else await save(step.file);
    };
    const save = async (file: string): Promise<void> => {
      reader.save(file, (await page.getByLabel('Config', { exact: true }).textContent()) ?? '');
      if (file.includes('relay')) reader.change(file, { api_addrs: [here('127.0.0.1:4480')] });
    };
    const printed: string[] = [];
    for (const step of stepsOfPage()) {
      if (step.kind === 'run') printed.push(reader.type(here(step.command)));
      else if (step.kind === 'start') await start(step.command);
      else await inBrowser(step);
    }
    expect(faults).toEqual([]);
    expect(printed).toEqual([expect.stringContaining('"status":"ok"')]);
    for (const file of ['site/relay/config.json', 'site/venue/edge.json', 'site/studio/edge.json']) {
      expect(reader.read(file)).not.toContain('registration_token');
    }
  } finally {
    await browser.close();
  }
}, 600_000);
