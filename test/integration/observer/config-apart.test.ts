import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfiguredObserver } from '../../support/observer/configured-observer.ts';
import { startHookedObserver } from '../../support/observer/hooked-observer.ts';
import { until } from '../../support/until.ts';

describe('the config of an observer, which a process of its own reads', () => {
  let folder: string;
  let config: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
    config = join(folder, 'observer.json');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('leaves the schema library out of the observer’s memory', async () => {
    const loads = join(folder, 'loads');
    const noted = `if (name === 'zod') appendFileSync(${JSON.stringify(loads)}, process.pid + '\\n');`;
    await writeFile(loads, '');
    const { child, ended, log } = startHookedObserver(noted, [
      ...['--threshold-ms', '500', '--udp-port', '0', '--i-accept-plaintext-udp'],
    ]);
    await until(() => log().includes('observer started'));
    const pids = new Set((await readFile(loads, 'utf8')).split('\n').filter((line) => line !== ''));
    expect(pids.size).toBe(1);
    expect(pids).not.toContain(String(child.pid));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it.each([
    ['{"threshold_ms": 5, "sokcet": "o.sock"}', /observer\.json:\n.*threshold_ms .*10.*\n.*sokcet .*"socket"/s],
    ['{\n  "threshold_ms": 500,\n}', /observer\.json is not JSON; line 2 ends with a comma/],
    ['{"threshold_ms": 500}', /observer\.json:\n.*socket is missing, and there is no udp_port either/],
  ])('ends the start with status 2 and every problem: %s', async (content, problems) => {
    await writeFile(config, content);
    const { child, log } = await ended(['--config', config]);
    expect(child.exitCode).toBe(2);
    expect(log()).toMatch(problems);
  });

  it('names a flag as the key that it stands for', async () => {
    const { child, log } = await ended(['--threshold-ms', 'soon', '--socket', 'o.sock']);
    expect(child.exitCode).toBe(2);
    expect(log()).toMatch(/the flags:\n.*threshold_ms must be /);
  });

  it('has no variable for recovery commands without a value', async () => {
    const flags = ['--socket', 'o.sock', '--threshold-ms', '500', '--recovery-env', 'LANG'];
    const { child, log } = await ended(flags);
    expect(child.exitCode).toBe(2);
    expect(log()).toContain('It must be KEY=VALUE.');
  });

  it('that is wrong at a reload is refused with its problems, and the old one stays', async () => {
    await using observer = await ConfiguredObserver.start(() => ({ threshold_ms: 500 }));
    const { program } = observer;
    await observer.reload({ threshold_ms: 'soon' });
    await until(() => program.log().includes('config not reloaded'));
    expect(program.log()).toMatch(/"problem":"[^"]*threshold_ms must be /);
    expect(program.child.exitCode).toBeNull();
  });
});

/** An observer that does not start. */
async function ended(flags: readonly string[]) {
  const observer = startHookedObserver('', flags);
  await observer.ended;
  return observer;
}
