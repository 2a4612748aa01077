import process from 'node:process';
import { inspect } from 'node:util';
import { builtEngines } from '../support/programs/engines.ts';
import { cyclesChapter, floodChapter, fuzzChapter, stormChapter } from './chapters.ts';
import { mediaSoak } from './media/media-soak.ts';
import { mixed } from './mixed.ts';
import { pathsChapter } from './paths.ts';
import { parseSoakArguments, type ChapterName, type SoakOrder } from './soak-order.ts';
import type { EngineName } from '../../src/quic/engine-report.ts';

/** `npm run soak`: docs/soak.md. Ends by itself; the exit status is 0 when nothing was wrong. */
const order = parseSoakArguments(process.argv.slice(2));
if (typeof order === 'string') {
  process.stderr.write(`${order}\n`);
  process.exit(2);
}

const faults: string[] = [];
process.on('unhandledRejection', (error) => faults.push(`unhandled rejection in the edges: ${String(error)}`));

if (order.only.includes('media')) await judge('media', () => mediaSoak({ ...order, say }));
for (const engine of order.engine === undefined ? await builtEngines() : [order.engine]) {
  for (const chapter of order.only) {
    // No engine carries the media.
    if (chapter === 'media') continue;
    await judge(`${chapter} ${engine}`, () => run(chapter, engine, order));
  }
}
say(`--seed ${order.seed} repeats its faults`);
for (const fault of faults.slice(0, 50)) say(`WRONG ${fault}`);
say(faults.length === 0 ? 'soak: nothing was wrong' : `soak: ${faults.length} things were wrong`);
process.exit(faults.length === 0 ? 0 : 1);

async function judge(name: string, play: () => Promise<string[]>): Promise<void> {
  try {
    faults.push(...(await play()).map((fault) => `${name}: ${fault}`));
  } catch (error) {
    faults.push(`${name}: ${inspect(error)}`);
  }
}

function run(
  chapter: Exclude<ChapterName, 'media'>,
  engine: EngineName,
  { minutes, tunnels, seed }: SoakOrder,
): Promise<string[]> {
  const common = { engine, seed, say };
  switch (chapter) {
    case 'mixed':
      return mixed({ ...common, minutes, tunnels });
    case 'paths':
      return pathsChapter({ ...common, minutes });
    case 'flood':
      return floodChapter(common);
    case 'cycles':
      return cyclesChapter(common);
    case 'fuzz':
      return fuzzChapter(common);
    case 'storm':
      return stormChapter(common);
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
