import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChildProgram } from '../../src/cli/demo/child-program.ts';
import { SystemClock } from '../../src/lib/clock.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'adit-loaded-'))));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** The modules that a program has loaded by the time it says that it has started. */
async function loadedBy(kind: string, config: object): Promise<string> {
  const [list, hook, path] = [join(folder, 'loaded'), join(folder, 'hook.mjs'), join(folder, 'config.json')];
  writeFileSync(list, '');
  const note = `appendFileSync(${JSON.stringify(list)}, url + '\\n')`;
  writeFileSync(
    hook,
    `import { appendFileSync } from 'node:fs';
    import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => (${note}, next(url, context)) });`,
  );
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  vi.stubEnv('NODE_OPTIONS', `--import=${pathToFileURL(hook).href}`);
  await using program = new ChildProgram(kind, [kind, '-c', path], new SystemClock());
  await program.line(`${kind} started`);
  return readFileSync(list, 'utf8');
}

const relay = { quic_addrs: ['127.0.0.1:0'], api_addrs: ['127.0.0.1:0'] };

describe('a start', () => {
  it.each([
    ['relay', relay, /fastify/, /ws-dialler|\/ws\/|fastify\/swagger|peculiar|src\/(edge|manager|media|observer)\//],
    ['edge', {}, /src\/edge\//, /ws-dialler|\/ws\/|fastify|peculiar|src\/(relay|manager|media\/srt|observer)\//],
  ])('of a %s leaves out what only other runs need', async (kind, config, needed, others) => {
    // The first one makes a certificate.
    await loadedBy(kind, config);
    const loaded = await loadedBy(kind, config);
    expect(loaded).toMatch(needed);
    expect(loaded.split('\n').filter((url) => others.test(url))).toEqual([]);
  });

  it('of a relay with a manager loads the code of its link', async () => {
    const manager = { enabled: true, url: 'wss://127.0.0.1:9/ws/node', registration_token: 'token' };
    expect(await loadedBy('relay', { ...relay, manager })).toContain('ws-dialler');
  });
});
