import process from 'node:process';
import { readCounts } from '../../tools/counts.ts';
import { simulateDay } from '../support/observer/silent-day.ts';

/**
 * `npm run silent:days -- 1000`: so many simulated days of 250 agents, each with another seed (docs/observer.md §4).
 * A second number is the first seed, so that a long run can be done in pieces.
 */
const [days, firstSeed] = readCounts('silent:days -- [days] [first seed]', [20, 1]);
let [beats, stalls, wrong] = [0, 0, 0];
for (let seed = firstSeed; seed < firstSeed + days; seed += 1) {
  const day = simulateDay(seed);
  beats += day.beats;
  stalls += day.stalls;
  const problems = [
    ...day.falseStalls.map((text) => `false: ${text}`),
    ...day.missedStalls.map((text) => `missed: ${text}`),
  ];
  wrong += problems.length;
  for (const problem of problems) process.stdout.write(`seed ${seed}: ${problem}\n`);
  if (seed % 50 === 0) process.stdout.write(`seed ${seed}: ${beats} beats, ${stalls} stalls, ${wrong} wrong\n`);
}
process.stdout.write(`${days} days, ${beats} beats, ${stalls} stalls, ${wrong} wrong\n`);
process.exitCode = wrong === 0 ? 0 : 1;
