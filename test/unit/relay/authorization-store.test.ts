import { describe, expect, it } from 'vitest';
import { AuthorizationStore } from '../../../src/relay/authorization-store.ts';
import type { PolicyState } from '../../../src/relay/tunnels/bind-policy.ts';
import { knownTunnelId } from '../../support/samples/known-tunnel-id.ts';
import { MemoryFileSystem, type Fault } from '../../support/fakes/memory-file-system.ts';

const path = '/state/authorizations.json';
const tunnelId = knownTunnelId('6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f');
const oldState: PolicyState = {
  authorized: [
    { tunnelId, ingress: 'a', egress: 'b', name: 'camera 1' },
    { tunnelId: knownTunnelId('7f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f'), ingress: 'c', egress: 'd' },
  ],
  revoked: [],
};
const newState: PolicyState = { authorized: [], revoked: [tunnelId] };

async function saved(fileSystem: MemoryFileSystem): Promise<PolicyState> {
  return new AuthorizationStore(fileSystem, path).load();
}

/** How many steps a save takes, the first one and each later one. */
async function stepsOfSave(): Promise<number> {
  const fileSystem = new MemoryFileSystem();
  await new AuthorizationStore(fileSystem, path).save(() => oldState);
  return fileSystem.steps.length;
}

describe('the authorization store', () => {
  it('has nothing where there is no file', async () => {
    expect(await saved(new MemoryFileSystem())).toEqual({ authorized: [], revoked: [] });
  });

  it('gives back what was saved, from a file that only its owner reads', async () => {
    const fileSystem = new MemoryFileSystem();
    const store = new AuthorizationStore(fileSystem, path);
    await store.save(() => oldState);
    expect(await saved(fileSystem)).toEqual(oldState);
    expect(fileSystem.files.get(path)?.mode).toBe(0o600);
    await store.save(() => newState);
    expect(await saved(fileSystem)).toEqual(newState);
    expect([...fileSystem.files.keys()]).toEqual([path]);
  });

  it('writes saves that come together once, each promise only when its state is on disk', async () => {
    const fileSystem = new MemoryFileSystem();
    const store = new AuthorizationStore(fileSystem, path);
    let state = oldState;
    const first = store.save(() => state);
    const more = Array.from({ length: 50 }, () => store.save(() => state));
    state = newState;
    await Promise.all([first, ...more]);
    expect(await saved(fileSystem)).toEqual(newState);
    expect(fileSystem.steps.length).toBeLessThanOrEqual(2 * (await stepsOfSave()));
    await store.settled();
  });

  it.each(['{', '[]', '{"version":2,"authorized":[],"revoked":[]}', '{"version":1,"authorized":[{}],"revoked":[]}'])(
    'refuses to go on without what a damaged file held: %s',
    async (text) => {
      const failure = saved(new MemoryFileSystem({ [path]: text }));
      await expect(failure).rejects.toMatchObject({ code: 'io-failed' });
      await expect(failure).rejects.toThrow(/is damaged; restore it from a backup, or delete it/);
    },
  );

  it('L5 leaves the old or the new state whole, wherever a save fails or the process dies', async () => {
    const steps = await stepsOfSave();
    const faults: readonly Fault[] = ['error', 'crash before', 'crash after'];
    for (const fault of faults) {
      for (let at = 0; at < steps; at++) {
        const fileSystem = new MemoryFileSystem();
        const store = new AuthorizationStore(fileSystem, path);
        await store.save(() => oldState);
        fileSystem.failAt(steps + at, fault);
        await expect(store.save(() => newState)).rejects.toMatchObject({ code: 'io-failed' });
        const found = await saved(fileSystem.afterRestart());
        expect([oldState, newState]).toContainEqual(found);
      }
    }
  });

  it('saves again after a failure', async () => {
    const fileSystem = new MemoryFileSystem();
    const store = new AuthorizationStore(fileSystem, path);
    fileSystem.failAt(0, 'error');
    await expect(store.save(() => oldState)).rejects.toMatchObject({ code: 'io-failed' });
    await store.save(() => newState);
    expect(await saved(fileSystem)).toEqual(newState);
  });
});
