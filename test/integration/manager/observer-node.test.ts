import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManagerBed } from '../../support/manager/manager-bed.ts';
import { AgentProcess } from '../../support/observer/agent-process.ts';
import { startObserverProcess } from '../../support/observer/observer-process.ts';
import { until } from '../../support/until.ts';

interface ObserverFrame {
  readonly host: string;
  readonly watched: number;
  readonly agents: readonly { readonly pid: number; readonly label: string | null; readonly stalled: boolean }[];
}

describe('an observer as a node of the manager', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'adit-observer-node-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('registers by its token, and the manager has its processes with their host, and who fell silent and came back', async () => {
    await using manager = await ManagerBed.start();
    // As the page makes it when its kind is not known yet: the node itself says what it is.
    const { id, token } = await manager.add('observer-1');
    const [config, socket] = [join(folder, 'observer.json'), join(folder, 'o.sock')];
    const keys = {
      socket,
      threshold_ms: 500,
      state_dir: folder,
      manager: manager.configFor({ registration_token: token }),
    };
    await writeFile(config, JSON.stringify(keys));
    await using _observer = await startObserverProcess(['--config', config]);
    await using agent = await AgentProcess.start(socket);
    const frame = async (): Promise<ObserverFrame | null> =>
      ((await manager.fleet.nodes.stats(id))?.payload ?? null) as ObserverFrame | null;

    await agent.beat();
    await until(async () => (await frame())?.watched === 1, { what: 'the table of processes' });

    expect(await frame()).toMatchObject({ host: hostname(), agents: [{ pid: agent.pid, label: null }] });
    expect(await manager.fleet.nodes.get(id)).toMatchObject({ kind: 'observer', state: 'online' });
    const silent = await manager.eventsOf('observer', id);
    expect(silent[0]).toMatchObject({ severity: 'critical', node_id: id });
    expect(silent[0]?.message).toMatch(
      new RegExp(`^Process ${agent.pid} has been silent for ([5-9]\\d\\d|\\d{4}) ms$`),
    );
    await until(async () => (await frame())?.agents[0]?.stalled === true, { what: 'silent in the table' });
    await agent.beat();
    const [, back] = await manager.eventsOf('observer', id, 2);
    expect(back?.message).toBe(`Process ${agent.pid} beats again`);
    await manager.steady(id);
    expect((await manager.fleet.nodes.get(id)).drift_open).toBe(0);
  });
});
