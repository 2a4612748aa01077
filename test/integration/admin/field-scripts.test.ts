import { describe, expect, it } from 'vitest';
import { createTunnelKit, createTunnelSecrets } from '../../../src/cli/tunnel-kit.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { runAdit } from '../../support/programs/adit-command.ts';
import { startManagedRelay } from '../../support/programs/managed-programs.ts';
import { runEdge } from '../../support/programs/running-programs.ts';
import { TestManager } from '../../support/peers/test-manager.ts';
import { until } from '../../support/until.ts';

const token = 'a-token-of-at-least-sixteen-characters';
const headers = { authorization: `Bearer ${token}` };
const secrets = createTunnelSecrets(new SystemRandom());

/** A relay with a manager, and both edges of one tunnel. */
async function startWorld() {
  await using starting = new AsyncDisposableStack();
  const manager = starting.use(await TestManager.start());
  const tunnels = [{ id: secrets.id, bind_secret: secrets.bindSecret }];
  const config = { api_token: token, field_metrics: true, tunnels };
  const relay = starting.use(await startManagedRelay({ manager, nodeId: 'relay', config }));
  const ends = { listen: '127.0.0.1:0', forward: '127.0.0.1:9' };
  const plan = { name: 'camera', protocol: 'udp', relays: relay.quicAddresses, ...ends } as const;
  const kit = createTunnelKit(plan, secrets);
  for (const { tunnels: own } of [kit.egressEdge, kit.ingressEdge]) starting.use(await runEdge({ tunnels: own }));
  await manager.nodeOnline();
  const url = `http://${relay.apiAddresses[0] ?? ''}`;
  const ask = async (path: string, method = 'GET'): Promise<string> => {
    return (await fetch(url + path, { method, headers })).text();
  };
  const get = async (path: string): Promise<unknown> => JSON.parse(await ask(path));
  await until(async () => (await ask('/api/v1/tunnels')).includes('"active"'), { what: 'both legs' });
  const running = starting.move();
  return { url, relay, ask, get, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

describe('a script that was made for field relays', () => {
  it('finds lists, the link to the manager and 26 families of metrics where a field relay has them', async () => {
    await using world = await startWorld();
    const tunnel = { tunnel_id: secrets.id, protocol: 'udp', status: 'active' };
    expect(await world.get('/api/v1/tunnels')).toMatchObject({ tunnels: [tunnel] });
    expect(await world.get('/api/v1/edges')).toMatchObject({ edges: [{}, {}] });
    const manager = { connected: true, disconnected_secs: 0, reconnecting: false };
    expect(await world.get('/health')).toMatchObject({ manager });
    expect(await world.get('/api/v1/stats')).toMatchObject({ manager });
    expect((await world.ask('/metrics')).match(/^# TYPE bilbycast_relay_\w+/gm)).toHaveLength(26);
  });

  it('deletes a tunnel, which stays away however often its edges try, until somebody lifts that', async () => {
    await using world = await startWorld();
    const path = `/api/v1/tunnels/${secrets.id}`;
    const answer = { deleted: true, tunnel_id: secrets.id, revoked: true };
    expect(JSON.parse(await world.ask(path, 'DELETE'))).toMatchObject(answer);
    const refused = (): number =>
      world.relay.log.lines.filter(({ message }) => message.startsWith('bind rejected')).length;
    await until(() => refused() >= 4, { what: 'both edges to have tried twice' });
    expect(await world.get('/api/v1/tunnels')).toEqual({ tunnels: [] });
    const lifted = await runAdit(['unrevoke', secrets.id, '--url', world.url], { ADIT_API_TOKEN: token });
    expect(lifted.out).toBe(`${secrets.id} is no longer revoked\n`);
    await until(async () => (await world.ask('/api/v1/tunnels')).includes('"active"'), { what: 'both legs again' });
  });
});
