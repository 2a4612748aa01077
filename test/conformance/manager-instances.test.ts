import { describe, expect, it } from 'vitest';
import { cutOne, killOne, stopOne } from '../support/manager/instance-faults.ts';
import { InstanceTrial } from '../support/manager/instance-trial.ts';
import { until } from '../support/until.ts';

/** `npm run long:instances` does the same with 300 nodes and a stop of 60 s. */
const nodes = 30;
const stillMs = 20_000;

describe('three managers on one PostgreSQL', () => {
  it('MI1 one is killed, stands still, is cut from the database: its nodes are online elsewhere in time, nothing is lost', async () => {
    await using trial = await InstanceTrial.start({ nodes });
    await trial.settled();
    for (const name of ['north', 'south', 'west'] as const) expect(trial.nodesAt(name)).toHaveLength(nodes / 3);

    const killed = await killOne(trial);
    expect(killed.nodes).toBe(nodes / 3);
    expect(killed.movedMs).toBeLessThan(60_000);
    await trial.settled();

    const stopped = await stopOne(trial, stillMs);
    expect(stopped.nodes).toBeGreaterThan(0);
    expect(stopped.movedMs).toBeLessThan(60_000);
    await trial.settled();
    const forwards = await trial.forwards();
    expect(forwards).toHaveLength(trial.tunnelIds.length);
    for (const { wanted, sent } of forwards) expect([wanted, sent]).toEqual(['127.0.0.1:6001', '127.0.0.1:6001']);

    const cut = await cutOne(trial);
    expect(cut.nodes).toBeGreaterThan(0);
    expect(cut.codes).toEqual([1012]);
    expect(cut.movedMs).toBeLessThan(90_000);
    await until(async () => (await trial.manager('west').api('GET', '/ready')).status === 200, {
      what: 'the instance that was cut off is ready again',
      pollMs: 500,
    });
    await trial.settled();
    expect(await trial.ledger()).toMatchObject({ missing: [], doubled: 0 });
  });

  it('MI2 no notice arrives: what one instance changes reaches nodes of the others within 5 s all the same', async () => {
    await using trial = await InstanceTrial.start({ nodes: 12, deaf: true });
    await trial.settled();
    // 5 s to look, and the push itself.
    expect(await trial.redirectAndSettle('127.0.0.1:6002', 20_000)).toBeLessThan(8_000);
    for (const { wanted, sent } of await trial.forwards())
      expect([wanted, sent]).toEqual(['127.0.0.1:6002', '127.0.0.1:6002']);
    // A command to a node that another instance holds.
    const remote = trial.nodesAt('south')[0]?.id ?? '';
    expect(await trial.manager('north').api('GET', `nodes/${remote}/config`)).toMatchObject({ status: 200 });
  });
});
