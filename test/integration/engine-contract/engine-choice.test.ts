import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AppError, errorMessage } from '../../../src/lib/app-error.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { createEngine } from '../../../src/quic/engine.ts';
import { loadAddon, shippedPackage } from '../../../src/quic/quinn/addon.ts';
import { boundaryDigest } from '../../../src/quic/quinn/boundary-digest.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { failureCode } from '../../support/failure-code.ts';
import { MemoryNetwork } from '../../support/fakes/memory-quic.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { silentLogger } from '../../support/fakes/silent-logger.ts';

const dependencies = { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger };
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

  it('does without one that was built from other sources, and warns; a config that names it gets an error with the remedy', async () => {
    const logger = new RecordingLogger();
    const loads = {
      native: () => Promise.reject(new AppError('engine-unusable', 'built from other sources')),
      quiche: () => Promise.resolve(new MemoryNetwork().engine()),
    };
    expect((await createEngine('auto', { ...dependencies, logger }, loads)).name).toBe('quiche');
    expect(logger.lines).toEqual([
      {
        level: 'warn',
        fields: { engine: 'native', reason: 'built from other sources' },
        message: 'a QUIC engine is built and cannot be used',
      },
    ]);
    const refused = await createEngine('native', dependencies, loads).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'engine-unusable' });
    expect(errorMessage(refused)).toMatch(/npm run build:native.*built from other sources/);
  });

  it('does not warn of one that nobody has built', async () => {
    const logger = new RecordingLogger();
    const missing = (): Promise<never> => Promise.reject(new AppError('engine-unavailable', 'not built'));
    const loads = { native: missing, quiche: missing };
    expect(await failureCode(createEngine('auto', { ...dependencies, logger }, loads))).toBe('engine-unavailable');
    expect(logger.lines).toEqual([]);
  });
});

describe('the library of the native engine', () => {
  it.each([
    ['is missing', null, 'engine-unavailable', 'is not built: run npm run build:native'],
    ['is no library', 'not JavaScript', 'engine-unusable', 'does not load here: run npm run build:native'],
    [
      'has no digest',
      'exports.NativeEngine = class {}',
      'engine-unusable',
      'other sources than these: run npm run build:native',
    ],
    [
      'has another digest',
      "exports.BOUNDARY = '00000000'",
      'engine-unusable',
      'other sources than these: run npm run build:native',
    ],
  ])('is not used when it %s', async (_, source, code, words) => {
    const folder = await mkdtemp(join(tmpdir(), 'adit-addon-'));
    // Required as a native library is, and made without a compiler.
    const path = join(folder, 'addon.cjs');
    if (source !== null) await writeFile(path, source);
    try {
      for (const places of [
        { built: path, shipped: null },
        { built: join(folder, 'absent'), shipped: path },
      ]) {
        expect(() => loadAddon(places)).toThrow(words);
        expect(await failureCode(Promise.try(() => loadAddon(places)))).toBe(code);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is the one that was built here where that fits, else the shipped one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'adit-addon-'));
    const library = async (name: string, digest: string): Promise<string> => {
      const path = join(folder, `${name}.cjs`);
      await writeFile(path, `exports.BOUNDARY = '${digest}'; exports.NativeEngine = class ${name} {}`);
      return path;
    };
    try {
      const built = await library('Built', boundaryDigest);
      const shipped = await library('Shipped', boundaryDigest);
      const stale = await library('Stale', '00000000');
      expect(loadAddon({ built, shipped }).NativeEngine.name).toBe('Built');
      expect(loadAddon({ built: stale, shipped }).NativeEngine.name).toBe('Shipped');
      expect(loadAddon({ built: join(folder, 'absent'), shipped }).NativeEngine.name).toBe('Shipped');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each([
    ['linux', 'x64', false, '@adit/native-linux-x64-gnu'],
    ['linux', 'arm64', true, '@adit/native-linux-arm64-musl'],
    ['darwin', 'arm64', true, '@adit/native-darwin-arm64'],
  ] as const)('is shipped for %s %s (musl: %s) as %s', (platform, cpu, musl, name) => {
    expect(shippedPackage(platform, cpu, musl)).toBe(name);
  });
});
