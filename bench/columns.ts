import { spawnSync } from 'node:child_process';
import { AppError } from '../src/lib/app-error.ts';
import { SystemClock } from '../src/lib/clock.ts';
import { createLogger } from '../src/lib/logger.ts';
import { SystemRandom } from '../src/lib/random.ts';
import { createEngine } from '../src/quic/engine.ts';
import type { EngineName } from '../src/quic/engine-report.ts';
import { aditRelay } from './relays/adit-relay.ts';
import { coturn, plainRelay, quinnRelay } from './relays/other-relays.ts';
import type { RelayUnderTest } from './relays/relay-under-test.ts';

const engineNames: readonly EngineName[] = ['quiche', 'native'];

/** The engines that run here. Rejects when there is none. */
export async function builtEngines(): Promise<readonly EngineName[]> {
  const built: EngineName[] = [];
  for (const name of engineNames) if (await isBuilt(name)) built.push(name);
  if (built.length === 0)
    throw new Error('no QUIC engine runs here; `npm ci` brings one, `npm run build:native` builds one');
  return built;
}

/** Everything that can be measured here, in the order of the table's columns. */
export function listRelays(
  engines: readonly EngineName[],
  { loadgen, base }: { readonly loadgen: string | null; readonly base: string | null },
): readonly RelayUnderTest[] {
  return [
    ...engines.flatMap((engine) => [aditRelay(engine), ...(base === null ? [] : [aditRelay(engine, base)])]),
    ...(loadgen === null ? [] : [quinnRelay(loadgen)]),
    plainRelay,
    ...(hasProgram('turnserver') ? [coturn] : []),
  ];
}

async function isBuilt(name: EngineName): Promise<boolean> {
  try {
    const engine = await createEngine(name, {
      clock: new SystemClock(),
      random: new SystemRandom(),
      logger: createLogger({ level: 'warn' }),
    });
    await engine.close();
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'engine-unavailable') return false;
    throw error;
  }
}

function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;
}
