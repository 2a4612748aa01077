import { readdirSync, readlinkSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
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

it('an audit that cannot be begun at a reload leaves no descriptor open', async () => {
  await using observer = await ConfiguredObserver.start(() => ({ threshold_ms: 300 }));
  const { program } = observer;
  const audit = observer.path('audit');
  // It is no audit and cannot be moved aside: the oldest generation is a folder.
  await writeFile(audit, 'not an audit\n');
  await writeFile(`${audit}.4`, '');
  await mkdir(`${audit}.5`);
  const refusals = (): number => program.log().split('config not reloaded').length - 1;
  for (let tries = 1; tries <= 3; tries += 1) {
    await observer.reload({ threshold_ms: 300 + tries, recovery_exec: ['/bin/true'], recovery_audit_file: audit });
    await until(() => refusals() >= tries);
  }
  const descriptors = `/proc/${program.child.pid ?? ''}/fd`;
  const open = readdirSync(descriptors).filter((fd) => linkOf(`${descriptors}/${fd}`).startsWith(audit));
  expect(open).toEqual([]);
});

/** Empty for a descriptor that was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
