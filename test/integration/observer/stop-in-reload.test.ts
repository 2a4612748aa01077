import { expect, it } from 'vitest';
import { ConfiguredObserver } from '../../support/observer/configured-observer.ts';
import { until } from '../../support/until.ts';

it('an observer that is stopped while it reads its config again ends', async () => {
  await using observer = await ConfiguredObserver.start(() => ({ threshold_ms: 30_000 }));
  const { program } = observer;
  await observer.reload({ threshold_ms: 20_000 });
  await until(() => program.log().includes('config reloaded'));
  program.child.kill('SIGHUP');
  program.child.kill('SIGTERM');
  await until(() => program.child.exitCode !== null);
  expect(program.child.exitCode).toBe(0);
});
