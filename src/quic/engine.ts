import { AppError } from '../lib/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { EngineName, QuicEngine } from './types.ts';

/** `quic.engine` of the configuration. */
export type EngineChoice = EngineName | 'auto';

export interface EngineDependencies {
  readonly clock: Clock;
  readonly random: Random;
}

type Load = (dependencies: EngineDependencies) => Promise<QuicEngine>;

/** Imported only when chosen: each needs a native library that may be missing here. The first that loads is what `auto` takes. */
const engines: Readonly<Partial<Record<EngineName, Load>>> = {
  native: async () => {
    const { createNativeEngine } = await import('./native/native-engine.ts');
    return createNativeEngine();
  },
  quiche: async (dependencies) => {
    const { QuicheEngine } = await import('./quiche/quiche-engine.ts');
    return new QuicheEngine(dependencies);
  },
};

const remedies: Readonly<Record<EngineName, string>> = {
  native: 'build it with `npm run build:native` (needs cargo)',
  quiche: 'it runs on Linux x64 with glibc 2.34 or later; run `npm ci` without `--omit=optional`',
};

/** Rejects with AppError `engine-unavailable`, whose message says how to get one. */
export async function createEngine(choice: EngineChoice, dependencies: EngineDependencies): Promise<QuicEngine> {
  const names: readonly EngineName[] = choice === 'auto' ? ['native', 'quiche'] : [choice];
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      const load = engines[name];
      if (load === undefined) throw new AppError('engine-unavailable', 'it is not built');
      return await load(dependencies);
    } catch (error) {
      failures.push(error);
    }
  }
  const help = names.map((name) => `${name}: ${remedies[name]}`).join('; ');
  const cause = new AggregateError(failures, failures.map((failure) => String(failure)).join('; '));
  throw new AppError('engine-unavailable', `no QUIC engine can be used here (${help})`, { cause });
}
