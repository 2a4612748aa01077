import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { runAgents } from '../bench/observer/watched-agents.ts';
import { SystemClock } from '../src/lib/clock.ts';
import { startObserverProcess } from '../test/support/observer/observer-process.ts';
import { pause } from '../test/support/pause.ts';
import { readCounts } from './counts.ts';

/**
 * `npm run long:observer`: agents beat five times a second beside programs that keep the processors busy. Every Stall
 * is compared with what its agent says of itself. A Stall of an agent that was never silent for a threshold is false.
 */
const usage = 'long:observer -- [minutes] [agents] [busy programs]';
const [minutes, count, busy] = readCounts(usage, [30, 200, 4]);
const thresholdMs = 1000;
/** Agents go on after the last look, so that none has ended by then. */
const afterwardsSeconds = 10;
const sampleEveryMs = 10_000;

interface Stall {
  readonly type: string;
  readonly pid: number;
}

const folder = mkdtempSync(join(tmpdir(), 'adit-long-observer-'));
try {
  const socket = join(folder, 'o.sock');
  await using observer = await startObserverProcess(['--socket', socket, '--threshold-ms', String(thresholdMs)]);
  const seconds = minutes * 60 + afterwardsSeconds;
  for (let started = 0; started < busy; started += 1) keepBusy(seconds);
  const agents = runAgents({ target: `unix:${socket}`, count, rate: 5, seconds });
  const load = await loadFor(minutes * 60_000);
  const stalls = (observer.events() as readonly Stall[]).filter(({ type }) => type === 'Stall');
  const { sent, refused, longestMs, longestMsOf } = await agents;
  const wrong = stalls.filter(({ pid }) => (longestMsOf.get(pid) ?? 0) < thresholdMs);
  const outcome = {
    minutes,
    agents: count,
    load,
    sent,
    refused,
    longestMs,
    stalls: stalls.length,
    false: wrong.length,
  };
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
  for (const stall of wrong) process.stdout.write(`false: ${JSON.stringify(stall)}\n`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A program that takes all that it gets of a processor, and ends by itself. */
function keepBusy(seconds: number): void {
  const loop = `const end = performance.now() + ${seconds * 1000}; while (performance.now() < end);`;
  spawn(process.execPath, ['--eval', loop], { stdio: 'ignore' });
}

/** Waits, and returns the least, the mean and the greatest load average of a minute meanwhile. */
async function loadFor(ms: number): Promise<{ readonly least: number; readonly mean: number; readonly most: number }> {
  const samples: number[] = [];
  const clock = new SystemClock();
  for (const endMs = clock.monotonicMs() + ms; clock.monotonicMs() < endMs;) {
    await pause(Math.min(sampleEveryMs, Math.max(0, endMs - clock.monotonicMs())));
    samples.push(loadavg()[0] ?? 0);
  }
  const mean = samples.reduce((sum, each) => sum + each, 0) / samples.length;
  const rounded = [Math.min(...samples), mean, Math.max(...samples)].map((each) => Math.round(each * 10) / 10);
  const [least = 0, average = 0, most = 0] = rounded;
  return { least, mean: average, most };
}
