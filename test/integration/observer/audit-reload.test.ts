import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AgentProcess } from '../../support/observer/agent-process.ts';
import { startObserverProcess } from '../../support/observer/observer-process.ts';
import { until } from '../../support/until.ts';

it('an audit that cannot be opened at a reload leaves the old one in use', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
  const [config, socket, audit] = [join(folder, 'observer.json'), join(folder, 'o.sock'), join(folder, 'audit')];
  const write = (path: string): Promise<void> =>
    writeFile(
      config,
      JSON.stringify({ socket, threshold_ms: 300, recovery_exec: ['/bin/true'], recovery_audit_file: path }),
    );
  await write(audit);
  await using program = await startObserverProcess(['--config', config]);
  await using agent = await AgentProcess.start(socket);
  await write(join(folder, 'nowhere/audit'));
  program.child.kill('SIGHUP');
  await until(() => program.log().includes('config not reloaded'));
  await until(async () => (await agent.beat()) === 0);
  await until(() => program.log().includes(`Recovery for process ${agent.pid} ended`));
  expect(await readFile(audit, 'utf8')).toContain('\tcomplete\t');
  await rm(folder, { recursive: true });
});
