import { describe, expect, it } from 'vitest';
import { admin, ManagerBed, type JoinedNode } from '../../support/manager/manager-bed.ts';
import { SimNode, type SimCommand } from '../../support/manager/sim-node.ts';
import { until } from '../../support/until.ts';

const relayNames = ['ams', 'fra', 'lon', 'nyc'] as const;
type RelayName = (typeof relayNames)[number];

/** One command that a node was given, in the order in which all nodes got theirs. */
interface Sent {
  readonly node: string;
  readonly action: SimCommand['action'];
}

interface World extends AsyncDisposable {
  readonly manager: ManagerBed;
  readonly relays: Readonly<Record<RelayName, JoinedNode>>;
  readonly edges: readonly JoinedNode[];
  readonly sent: Sent[];
}

async function world(edgeCount: number): Promise<World> {
  const manager = await ManagerBed.start();
  const sent: Sent[] = [];
  const record = (name: string) => (node: SimNode) => {
    node.answer = ({ action }) => {
      sent.push({ node: name, action });
      return action.type === 'list_authorized' ? { error: `Unknown relay command: ${action.type}` } : {};
    };
  };
  const relays: Partial<Record<RelayName, JoinedNode>> = {};
  for (const name of relayNames) {
    const relay = await manager.join(name, 'relay', record(name));
    const region = name === 'nyc' ? 'us' : 'eu';
    await manager.fleet.nodes.patch(relay.id, { region }, null, admin);
    relay.node.say('health', { status: 'ok', public_quic_addr: `${name}.example:4433`, capabilities: [] });
    relays[name] = relay;
  }
  const edges: JoinedNode[] = [];
  for (let index = 0; index < edgeCount; index++)
    edges.push(await manager.join(`edge-${index}`, 'edge', record(`edge-${index}`)));
  const joined = [...Object.values(relays), ...edges];
  for (const { id } of joined) await manager.steady(id);
  return {
    ...{ manager, relays: relays as Record<RelayName, JoinedNode>, edges, sent },
    async [Symbol.asyncDispose]() {
      for (const { node } of joined) await node[Symbol.asyncDispose]();
      await manager[Symbol.asyncDispose]();
    },
  };
}

async function makeTunnel({ manager, edges }: World, index: number, region: string | null = 'eu'): Promise<string> {
  const pair = (2 * index) % edges.length;
  const { tunnel } = await manager.fleet.tunnels.create(
    {
      name: `tunnel ${index}`,
      protocol: 'udp',
      source: { node_id: edges[pair]?.id ?? '', listen: `127.0.0.1:${10_000 + index}` },
      destination: { node_id: edges[pair + 1]?.id ?? '', forward: `127.0.0.1:${20_000 + index}` },
      relays: 'auto',
      region,
    },
    admin,
  );
  return tunnel.id;
}

async function active({ manager }: World, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await until(async () => (await manager.fleet.tunnels.get(id)).status === 'active', {
      what: `tunnel ${id} active`,
      pollMs: 50,
    });
  }
}

/** How many tunnels each relay carries. */
async function spread({ manager, relays }: World, ids: readonly string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = { ams: 0, fra: 0, lon: 0, nyc: 0 };
  for (const id of ids) {
    for (const { node_id: nodeId } of (await manager.fleet.tunnels.get(id)).relays) {
      const name = relayNames.find((each) => relays[each].id === nodeId) ?? '';
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return counts;
}

/** Which relays know one tunnel, and which each of its edges uses by its last command. */
class TunnelStory {
  readonly broken: string[] = [];
  readonly #known = new Set<string>();
  readonly #usedBy = new Map<string, readonly string[]>();

  take({ node, action }: Sent): void {
    if (action.type === 'authorize_tunnel') this.#known.add(node);
    else if (action.type === 'create_tunnel') this.#use(node, relaysOf(action));
    else this.#forget(node);
  }

  #use(edge: string, relays: readonly string[]): void {
    this.#usedBy.set(edge, relays);
    for (const relay of relays) if (!this.#known.has(relay)) this.broken.push(`${edge} was given ${relay} too early`);
  }

  #forget(relay: string): void {
    this.#known.delete(relay);
    for (const [edge, relays] of this.#usedBy) {
      if (relays.includes(relay)) this.broken.push(`${relay} forgot what ${edge} uses`);
    }
  }
}

/** Where an edge was given a relay that did not know the tunnel yet, or a relay forgot a tunnel that an edge still used. */
function brokenMoments(sent: readonly Sent[]): readonly string[] {
  const stories = new Map<string, TunnelStory>();
  for (const one of sent) {
    const id = tunnelOf(one.action);
    if (id === null) continue;
    const story = stories.get(id) ?? new TunnelStory();
    stories.set(id, story);
    story.take(one);
  }
  return [...stories.values()].flatMap(({ broken }) => broken);
}

function tunnelOf(action: SimCommand['action']): string | null {
  const { tunnel_id: id, tunnel } = action as {
    readonly tunnel_id?: string;
    readonly tunnel?: { readonly id: string };
  };
  return id ?? tunnel?.id ?? null;
}

function relaysOf(action: SimCommand['action']): readonly string[] {
  const { relay_addrs: addresses } = action['tunnel'] as { readonly relay_addrs: readonly string[] };
  return addresses.map((address) => address.split('.')[0] ?? '');
}

describe('relays that are chosen by the manager', () => {
  it('carry 200 tunnels evenly, of the wanted region first, and one that is drained loses all of its own without a gap', async () => {
    await using all = await world(20);
    const { manager, relays, sent } = all;
    const ids: string[] = [];
    for (let index = 0; index < 200; index++) ids.push(await makeTunnel(all, index));
    await active(all, ids);
    const before = await spread(all, ids);
    expect(before['nyc']).toBe(0);
    expect(Object.values(before).reduce((sum, count) => sum + count, 0)).toBe(400);
    for (const name of ['ams', 'fra', 'lon']) expect(Math.abs((before[name] ?? 0) - 400 / 3)).toBeLessThan(3);
    const first = await manager.fleet.tunnels.get(ids[0] ?? '');
    expect(first.placement_reason).toMatch(
      /^ams \(eu, 0 tunnels\) and fra \(eu, 0 tunnels\) for region eu: least loaded of 4/,
    );

    const { moved, kept } = await manager.fleet.nodes.setDraining(relays.ams.id, true, admin);
    expect(moved).toHaveLength(before['ams'] ?? 0);
    expect(kept).toEqual([]);
    await active(all, ids);
    await until(
      () =>
        sent.filter(({ node, action }) => node === 'ams' && action.type === 'revoke_tunnel').length === moved.length,
      {
        what: 'the drained relay forgot every tunnel',
        pollMs: 50,
      },
    );
    expect(await spread(all, ids)).toEqual({ ams: 0, fra: 200, lon: 200, nyc: 0 });
    expect(brokenMoments(sent)).toEqual([]);
    const after = await manager.fleet.tunnels.get(moved[0] ?? '');
    expect(after.placement_reason).toContain('1 of 4 relays cannot take it now');
    expect(after.status).toBe('active');
  });

  it('wait with forgetting a tunnel until an edge that is away has changed over, too', async () => {
    await using all = await world(2);
    const { manager, relays, edges, sent } = all;
    const id = await makeTunnel(all, 0);
    await active(all, [id]);
    const away = edges[1];
    await away?.node[Symbol.asyncDispose]();
    await until(async () => (await manager.fleet.nodes.get(away?.id ?? '')).state !== 'online');
    await manager.fleet.nodes.setDraining(relays.ams.id, true, admin);
    await until(
      () => sent.filter(({ node, action }) => node === 'edge-0' && action.type === 'create_tunnel').length === 2,
    );
    const { credentials } = away ?? {};
    await using _back = await SimNode.connect(manager.url, { ...credentials }, (node) => {
      node.answer = ({ action }) => {
        sent.push({ node: 'edge-1', action });
        return {};
      };
    });
    await until(() => sent.some(({ node, action }) => node === 'ams' && action.type === 'revoke_tunnel'));
    expect(brokenMoments(sent)).toEqual([]);
  });

  it('say why none can take a tunnel, and keep to the number of tunnels that one may carry', async () => {
    await using all = await world(2);
    const { manager, relays } = all;
    for (const name of ['ams', 'fra', 'lon'] as const) {
      await manager.fleet.nodes.patch(relays[name].id, { max_tunnels: 1 }, null, admin);
    }
    const ids = [await makeTunnel(all, 0), await makeTunnel(all, 1)];
    expect(await spread(all, ids)).toEqual({ ams: 1, fra: 1, lon: 1, nyc: 1 });
    await manager.fleet.nodes.setDraining(relays.nyc.id, true, admin);
    await expect(makeTunnel(all, 2)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^no relay can take it: ams is full, fra is full, lon is full, nyc is draining$/,
      ) as string,
    });
    const fixed = await manager.fleet.tunnels.get(ids[1] ?? '');
    expect(fixed.relays.map(({ node_id: relay }) => relay)).not.toContain(relays.nyc.id);
  });
});
