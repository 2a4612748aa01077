import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { AgentProcess } from '../../support/observer/agent-process.ts';
import { ConfiguredObserver } from '../../support/observer/configured-observer.ts';
import { until } from '../../support/until.ts';

it('an audit that cannot be opened at a reload leaves the old one in use, and changes nothing else', async () => {
  const auditedIn = (file: string, print: string): object => ({
    threshold_ms: 300,
    recovery_exec: ['/bin/true'],
    recovery_audit_file: file,
    print,
  });
  await using observer = await ConfiguredObserver.start((path) => auditedIn(path('audit'), 'stalls'));
  const { program } = observer;
  await using agent = await AgentProcess.start(observer.socket);
  await observer.reload(auditedIn(observer.path('nowhere/audit'), 'all'));
  await until(() => program.log().includes('config not reloaded'));
  await until(async () => (await agent.beat()) === 0);
  await until(() => program.log().includes(`Recovery for process ${agent.pid} ended`));
  expect(program.events().map(({ type }) => type)).not.toContain('Beat');
  expect(await readFile(observer.path('audit'), 'utf8')).toContain('\tcomplete\t');
});
