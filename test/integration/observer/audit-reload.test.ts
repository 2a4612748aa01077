import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { AgentProcess } from '../../support/observer/agent-process.ts';
import { ConfiguredObserver } from '../../support/observer/configured-observer.ts';
import { until } from '../../support/until.ts';

it('an audit that cannot be opened at a reload leaves the old one in use', async () => {
  const auditedIn = (file: string): object => ({
    threshold_ms: 300,
    recovery_exec: ['/bin/true'],
    recovery_audit_file: file,
  });
  await using observer = await ConfiguredObserver.start((path) => auditedIn(path('audit')));
  const { program } = observer;
  await using agent = await AgentProcess.start(observer.socket);
  await observer.reload(auditedIn(observer.path('nowhere/audit')));
  await until(() => program.log().includes('config not reloaded'));
  await until(async () => (await agent.beat()) === 0);
  await until(() => program.log().includes(`Recovery for process ${agent.pid} ended`));
  expect(await readFile(observer.path('audit'), 'utf8')).toContain('\tcomplete\t');
});
