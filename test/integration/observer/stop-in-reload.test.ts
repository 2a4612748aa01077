import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startObserverProcess } from '../../support/observer/observer-process.ts';
import { until } from '../../support/until.ts';

it('an observer that is stopped while it reads its config again ends', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
  const config = join(folder, 'observer.json');
  const write = (thresholdMs: number): Promise<void> =>
    writeFile(config, JSON.stringify({ socket: join(folder, 'o.sock'), threshold_ms: thresholdMs }));
  await write(30_000);
  await using program = await startObserverProcess(['--config', config]);
  await write(20_000);
  program.child.kill('SIGHUP');
  await until(() => program.log().includes('config reloaded'));
  program.child.kill('SIGHUP');
  program.child.kill('SIGTERM');
  await until(() => program.child.exitCode !== null);
  expect(program.child.exitCode).toBe(0);
  await rm(folder, { recursive: true });
});
