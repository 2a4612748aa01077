import process from 'node:process';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

/** Debian's chromium, as `.ci/install` installs it, unless the environment names another one. */
const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** What a page did that it must not: errors in its console, uncaught ones, violations of its policy. */
export interface PageFaults {
  readonly faults: string[];
}

export interface OpenedPage extends PageFaults {
  readonly page: Page;
  readonly context: BrowserContext;
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
  readonly scale?: number;
}

/** A real Chromium without a window. Sandboxing needs a user other than root. */
export async function launchBrowser(extraArgs: readonly string[] = []): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath, args: [...args, '--disable-dev-shm-usage', ...extraArgs] });
}

/** A fresh session that trusts the manager's self-signed certificate. */
export async function openPage(browser: Browser, options: PageOptions = {}): Promise<OpenedPage> {
  const { width = 1440, height = 900, theme = 'light', scale = 1 } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    ignoreHTTPSErrors: true,
    deviceScaleFactor: scale,
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  // A busy machine takes many times as long as a quiet one.
  page.setDefaultTimeout(90_000);
  const faults: string[] = [];
  page.on('console', (message) => {
    // The first question of the page, who is signed in, is answered with 401: the browser logs that itself.
    const asked = message.text().includes('status of 401') && message.location().url.endsWith('/api/v1/me');
    if (message.type() === 'error' && !asked) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  return { page, context, faults };
}
