import process from 'node:process';
import { createEngine } from '../../../src/quic/engine.ts';
import { AppError } from '../../../src/lib/app-error.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import type { EdgeEngine } from '../../../src/quic/local-sockets.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import { silentLogger } from '../fakes/silent-logger.ts';

const allEngines: readonly EngineName[] = ['quiche', 'native'];

export function startEngine(name: EngineName): Promise<EdgeEngine> {
  return createEngine(name, { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger });
}

async function isBuilt(name: EngineName): Promise<boolean> {
  try {
    const engine = await startEngine(name);
    await engine.close();
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'engine-unavailable') return false;
    throw error;
  }
}

/**
 * The engines that are built here: suites that run over engines run over these. The run prints which they were. One that is
 * built from other sources fails the suite: nobody would notice that it was left out.
 */
export async function builtEngines(): Promise<readonly EngineName[]> {
  const built: EngineName[] = [];
  for (const name of allEngines) if (await isBuilt(name)) built.push(name);
  process.stdout.write(`QUIC engines built here: ${built.join(', ')}\n`);
  return built;
}
