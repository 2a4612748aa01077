import { AppError, errorMessage } from '../lib/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import type { EdgeEngine } from './local-sockets.ts';
import type { EngineName } from './engine-report.ts';

/** `quic.engine` of the configuration. */
export type EngineChoice = EngineName | 'auto';

export interface EngineDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Pick<Logger, 'warn'>;
}

type Load = (dependencies: EngineDependencies) => Promise<EdgeEngine>;

/** Imported only when chosen: each needs a native library that may be missing here. */
const engines: Readonly<Record<EngineName, Load>> = {
  native: async () => {
    const { createQuinnEngine } = await import('./quinn/quinn-engine.ts');
    return createQuinnEngine();
  },
  quiche: async (dependencies) => {
    const { QuicheEngine } = await import('./quiche/quiche-engine.ts');
    return new QuicheEngine(dependencies);
  },
};

const remedies: Readonly<Record<EngineName, string>> = {
  native:
    'the checkout ships it for Linux x64 and arm64: run `npm ci` without `--omit=optional`; ' +
    'elsewhere `npm run build:native` builds it (needs cargo)',
  quiche: 'it runs on Linux x64 with glibc 2.34 or later; run `npm ci` without `--omit=optional`',
};

/**
 * `auto` takes the first that can be used, and warns of one that is there and cannot. Rejects with AppError
 * `engine-unusable` when that was the only one, otherwise `engine-unavailable`; the message says how to get one.
 */
export async function createEngine(
  choice: EngineChoice,
  dependencies: EngineDependencies,
  loads: Readonly<Record<EngineName, Load>> = engines,
): Promise<EdgeEngine> {
  const names: readonly EngineName[] = choice === 'auto' ? ['native', 'quiche'] : [choice];
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      return await loads[name](dependencies);
    } catch (error) {
      failures.push(error);
      if (choice !== 'auto' || !isUnusable(error)) continue;
      dependencies.logger.warn(
        { engine: name, reason: errorMessage(error) },
        'a QUIC engine is built and cannot be used',
      );
    }
  }
  const help = names.map((name) => `${name}: ${remedies[name]}`).join('; ');
  const cause = new AggregateError(failures, failures.map((failure) => errorMessage(failure)).join('; '));
  const code = failures.some(isUnusable) ? 'engine-unusable' : 'engine-unavailable';
  throw new AppError(code, `no QUIC engine can be used here (${help})`, { cause });
}

function isUnusable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'engine-unusable';
}
