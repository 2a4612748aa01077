import process from 'node:process';
import { launchBrowser, openPage } from '../test/support/browser.ts';
import { ApiBed } from '../test/support/manager/api-bed.ts';
import { signInPage } from '../test/support/manager/page-walk.ts';
import { readCounts } from './counts.ts';

/**
 * `npm run long:page`: how long Chromium takes to scroll and filter the lists of a large fleet. The first argument is
 * the number of nodes, the second that of tunnels with four legs each. Times are from the input to the frame after the
 * list was drawn, in milliseconds; a filter's includes the answer of the manager. A frame in which nothing happens is
 * printed beside them: it says how busy the machine is.
 */
const [nodes, tunnels] = readCounts('long:page -- [nodes] [tunnels]', [5_000, 5_000]);
const rounds = 20;

/** Runs in the page. `step` does something; the time is taken once `done` holds and the frame is drawn. */
const timing = `async (count, step, done) => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
  const times = [];
  for (let at = 0; at < count; at += 1) {
    const from = performance.now();
    step(at);
    do await frame(); while (!done(at));
    times.push(performance.now() - from);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return times;
}`;

const scrolling = `(at) => {
    const frame = document.querySelector('.table-frame');
    frame.scrollTop = (frame.scrollHeight / ${rounds}) * (at + 1);
  }, () => {
    const frame = document.querySelector('.table-frame').getBoundingClientRect();
    const middle = document.elementFromPoint(frame.left + 60, frame.top + frame.height / 2);
    return middle?.closest('tr:not(.spacer)') !== null;
  }`;

/** A name of one row, and then none: alternately. */
const filtering = (prefix: string) => `(at) => {
    const box = document.querySelector('input[type=search]');
    box.value = at % 2 === 0 ? '${prefix}' + (100 + at) : '';
    box.dispatchEvent(new Event('input', { bubbles: true }));
  }, (at) => {
    const rows = document.querySelectorAll('tbody tr:not(.spacer)').length;
    return at % 2 === 0 ? rows > 0 && rows < 20 : rows > 20;
  }`;

await using bed = await ApiBed.start({ size: { nodes, tunnels } });
await bed.signUp();
const browser = await launchBrowser();
try {
  const { page, context } = await openPage(browser);
  const devTools = await context.newCDPSession(page);
  // The page's own processor time: that of other programs does not count.
  await devTools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busyMs = async () => {
    const { metrics } = await devTools.send('Performance.getMetrics');
    return 1_000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0);
  };
  const timed = async (code: string): Promise<Timed> => {
    const before = await busyMs();
    const times = await page.evaluate<number[]>(code);
    return { times, cpuMs: ((await busyMs()) - before) / rounds };
  };
  page.setDefaultTimeout(120_000);
  await signInPage(page, bed);
  for (const [path, prefix, count] of [
    ['nodes', 'edge-', nodes],
    ['tunnels', 'camera-', tunnels],
  ] as const) {
    await page.goto(`${bed.origin}/${path}`);
    await page.getByText(`${new Intl.NumberFormat('en').format(count)} in all`).waitFor();
    report(`${path}: nothing but a frame`, await timed(`(${timing})(${rounds}, () => {}, () => true)`));
    report(`${path}: scroll`, await timed(`(${timing})(${rounds}, ${scrolling})`));
    report(`${path}: filter`, await timed(`(${timing})(${rounds}, ${filtering(prefix)})`));
    const drawn = await page.evaluate<number>('document.querySelectorAll("tbody tr").length');
    process.stdout.write(`${path}: ${drawn} rows in the document\n`);
  }
} finally {
  await browser.close();
}

interface Timed {
  readonly times: readonly number[];
  /** Processor time of the page for one round, what follows in the background included. */
  readonly cpuMs: number;
}

function report(what: string, { times, cpuMs }: Timed): void {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);
  const wall = `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, worst ${at(1)} ms`;
  process.stdout.write(`${what}: ${wall}; the page itself computed ${cpuMs.toFixed(1)} ms\n`);
}
