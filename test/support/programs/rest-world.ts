import { createTunnelKit, createTunnelSecrets } from '../../../src/cli/tunnel-kit.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { startManagedRelay } from './managed-programs.ts';
import { runEdge } from './running-programs.ts';
import { TestManager } from '../peers/test-manager.ts';
import { until } from '../until.ts';

/** A whole relay and two whole edges, with tunnels in several states, seen through REST. */
export interface RestWorld extends AsyncDisposable {
  /** `ip:port` of each REST API. */
  readonly addresses: { readonly relay: string; readonly edge: string };
  /** Of an active tunnel, of one whose ingress leg is missing, of a revoked one, and of one that nobody knows. */
  readonly tunnelIds: readonly string[];
  /** Of the edge's media flow. */
  readonly flowId: string;
  /** What the programs have logged as errors, but for the binds of tunnels that a client has deleted. */
  errors(): readonly string[];
}

export async function startRestWorld(apiToken: string | null): Promise<RestWorld> {
  await using starting = new AsyncDisposableStack();
  const random = new SystemRandom();
  const [active, lonely, revoked, unknown] = [1, 2, 3, 4].map(() => createTunnelSecrets(random));
  if (!active || !lonely || !revoked || !unknown) throw new Error('four tunnels');
  const manager = starting.use(await TestManager.start());
  const tunnels = [active, lonely, revoked].map(({ id, bindSecret }) => ({ id, bind_secret: bindSecret }));
  const relay = starting.use(
    await startManagedRelay({ manager, nodeId: 'relay', config: { tunnels, api_token: apiToken } }),
  );
  const node = await manager.nodeOnline();
  await node.command({ type: 'revoke_tunnel', tunnel_id: revoked.id });
  const relays = [...relay.quicAddresses];
  const local = { listen: '127.0.0.1:0', forward: '127.0.0.1:9' };
  const kits = [active, lonely].map((secrets) =>
    createTunnelKit({ name: 'x', protocol: 'udp', relays, ...local }, secrets),
  );
  const egressTunnels = kits.flatMap(({ egressEdge }) => egressEdge.tunnels);
  const flows = [{ id: 'studio', name: 'studio', input: { type: 'udp', bind_addr: '127.0.0.1:0' } }];
  const edge = starting.use(
    await runEdge({ tunnels: egressTunnels, flows, api_addr: '127.0.0.1:0', api_token: apiToken }),
  );
  const other = starting.use(await runEdge({ tunnels: kits[0]?.ingressEdge.tunnels }));
  await until(() => relay.log.messages('info').includes('tunnel active'), { what: 'the active tunnel' });
  const running = starting.move();
  return {
    addresses: { relay: relay.apiAddresses[0] ?? '', edge: edge.apiAddresses[0] ?? '' },
    tunnelIds: [active, lonely, revoked, unknown].map(({ id }) => id),
    flowId: 'studio',
    errors: () =>
      [relay, edge, other].flatMap(({ log }) => log.messages('error').filter((text) => text !== 'bind rejected')),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
