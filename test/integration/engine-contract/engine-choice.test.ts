import { describe, expect, it } from 'vitest';
import { errorMessage } from '../../../src/lib/app-error.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { createEngine } from '../../../src/quic/engine.ts';
import { builtEngines } from '../../support/engines.ts';

const dependencies = { clock: new SystemClock(), random: new SystemRandom() };
const built = await builtEngines();

describe('the choice of an engine', () => {
  it('prefers the native one, and takes what is there', async () => {
    const engine = await createEngine('auto', dependencies);
    expect(engine.name).toBe(built.includes('native') ? 'native' : 'quiche');
    await engine.close();
  });

  it.each(['native', 'quiche'] as const)('gives %s when it is asked for, or says how to get it', async (name) => {
    const outcome = await createEngine(name, dependencies).then(
      async (engine) => {
        await engine.close();
        return engine.name;
      },
      (error: unknown) => errorMessage(error),
    );
    if (built.includes(name)) expect(outcome).toBe(name);
    else expect(outcome).toMatch(/no QUIC engine can be used here .*npm (run|ci)/);
  });
});
