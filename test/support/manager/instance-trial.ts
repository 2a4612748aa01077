import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { hashSecret } from '../../../src/manager/secrets/node-secret.ts';
import { ManagerProcess } from '../programs/manager-process.ts';
import { until } from '../until.ts';
import { CutProxy } from './cut-proxy.ts';
import { PostgresServer } from './postgres-server.ts';
import { RoamingNode } from './roaming-node.ts';

export interface TrialOptions {
  readonly nodes: number;
  /** NOTIFY reaches nobody. */
  readonly deaf?: boolean;
}

interface Owned {
  readonly items: readonly { readonly id: string; readonly state: string; readonly instance_id: string | null }[];
  readonly next: string | null;
}

const names = ['north', 'south', 'west'] as const;
type InstanceName = (typeof names)[number];
const raiseEveryMs = 250;

/** Three managers on one PostgreSQL server with simulated nodes spread over them, for the promises about instances. */
export class InstanceTrial implements AsyncDisposable {
  readonly nodes: readonly RoamingNode[];
  readonly tunnelIds: readonly string[];
  readonly #managers: ReadonlyMap<InstanceName, ManagerProcess>;
  readonly #proxy: CutProxy;
  readonly #database: pg.Client;
  readonly #disposal: AsyncDisposableStack;
  readonly #raising: NodeJS.Timeout;

  private constructor(parts: {
    readonly managers: ReadonlyMap<InstanceName, ManagerProcess>;
    readonly nodes: readonly RoamingNode[];
    readonly tunnelIds: readonly string[];
    readonly proxy: CutProxy;
    readonly database: pg.Client;
    readonly disposal: AsyncDisposableStack;
  }) {
    this.nodes = parts.nodes;
    this.tunnelIds = parts.tunnelIds;
    this.#managers = parts.managers;
    this.#proxy = parts.proxy;
    this.#database = parts.database;
    this.#disposal = parts.disposal;
    this.#raising = setInterval(() => {
      for (const node of this.nodes) node.raise();
    }, raiseEveryMs);
  }

  /** The first tenth of the nodes are relays; each pair of the others has a tunnel through one of them. */
  static async start({ nodes: count, deaf = false }: TrialOptions): Promise<InstanceTrial> {
    await using disposal = new AsyncDisposableStack();
    const server = disposal.use(await PostgresServer.start());
    const url = await server.newDatabase();
    // Listeners of another database get nothing.
    const elsewhere = await server.newDatabase();
    const proxy = disposal.use(await CutProxy.start(server.port));
    const managers = new Map<InstanceName, ManagerProcess>();
    const key = randomBytes(32).toString('hex');
    for (const name of names) {
      const port = name === 'west' ? proxy.port : server.port;
      const at = (text: string): string => text.replace(String(server.port), String(port));
      managers.set(
        name,
        disposal.use(await startInstance(name, { url: at(url), listen: deaf ? at(elsewhere) : null, key })),
      );
    }
    const database = new pg.Client({ connectionString: url });
    await database.connect();
    disposal.defer(() => database.end());
    const ids = Array.from(
      { length: count },
      (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    );
    const relays = Math.max(1, Math.floor(count / 10));
    for (const [index, id] of ids.entries()) await addNode(database, id, index < relays ? 'relay' : 'edge');
    const urls = [...managers.values()].map((manager) => manager.url);
    const nodes = ids.map((id, first) => disposal.use(new RoamingNode({ id, secret: id, urls, first })));
    await until(() => nodes.every((node) => node.isConnected), { what: 'all nodes connected' });
    const tunnelIds = await makeTunnels(managers.get('north'), nodes.slice(0, relays), nodes.slice(relays));
    return new InstanceTrial({ managers, nodes, tunnelIds, proxy, database, disposal: disposal.move() });
  }

  manager(name: InstanceName): ManagerProcess {
    const manager = this.#managers.get(name);
    if (manager === undefined) throw new Error(`there is no instance ${name}`);
    return manager;
  }

  nodesAt(name: InstanceName): readonly RoamingNode[] {
    return this.nodes.filter(({ url }) => url === this.manager(name).url);
  }

  cut(): void {
    this.#proxy.cut();
  }

  mend(): void {
    this.#proxy.mend();
  }

  /**
   * Milliseconds until these nodes are online at other instances, by their own sockets and by what an instance that is
   * well says of them.
   */
  async movedFrom(name: InstanceName, moved: readonly RoamingNode[], timeoutMs: number): Promise<number> {
    const startedMs = performance.now();
    const from = this.manager(name).url;
    const witness = this.manager(name === 'south' ? 'north' : 'south');
    await until(() => moved.every(({ url }) => url !== '' && url !== from), {
      what: `${moved.length} nodes connected elsewhere than ${name}`,
      timeoutMs,
      pollMs: 50,
    });
    const ids = new Set(moved.map(({ id }) => id));
    await until(async () => (await this.#online(witness)).filter((id) => ids.has(id)).length === ids.size, {
      what: 'the others say that they are online',
      pollMs: 200,
    });
    return Math.round(performance.now() - startedMs);
  }

  /** Waits until every leg that is wanted is pushed in its newest generation, and in no session but its node's last. */
  async settled(timeoutMs = 120_000): Promise<void> {
    const open = `SELECT l.node_id, l.role, l.push_status, l.push_error, l.generation, l.pushed_generation, l.attempts,
      l.session, n.last_session, s.session AS held, i.name AS instance
      FROM legs l JOIN nodes n ON n.id = l.node_id LEFT JOIN node_sessions s ON s.node_id = l.node_id
      LEFT JOIN instances i ON i.id = s.instance_id WHERE l.push_status <> 'pushed'
      OR l.pushed_generation IS DISTINCT FROM l.generation OR l.session > n.last_session`;
    let left: readonly unknown[] = [];
    try {
      await until(async () => (left = (await this.#database.query(open)).rows).length === 0, {
        what: 'every leg is pushed',
        timeoutMs,
        pollMs: 200,
      });
    } catch (error) {
      const shown = left.slice(0, 10).map((row) => JSON.stringify(row));
      throw new Error(`${left.length} legs are not pushed:\n${shown.join('\n')}`, { cause: error });
    }
  }

  /** Changes where every tunnel ends, at one instance. */
  async redirect(forward: string): Promise<void> {
    const manager = this.manager('north');
    for (const id of this.tunnelIds) {
      const { destination } = (await manager.done('GET', `tunnels/${id}`)) as { destination: { node_id: string } };
      await manager.done('PATCH', `tunnels/${id}`, { destination: { node_id: destination.node_id, forward } });
    }
  }

  /** As `redirect`; milliseconds from the last change until every leg is pushed. */
  async redirectAndSettle(forward: string, timeoutMs: number): Promise<number> {
    await this.redirect(forward);
    const startedMs = performance.now();
    await this.settled(timeoutMs);
    return Math.round(performance.now() - startedMs);
  }

  /** Where every tunnel ends according to the manager, and according to the last command to the node. */
  async forwards(): Promise<readonly { readonly wanted: string; readonly sent: unknown }[]> {
    const { rows } = await this.#database.query<{
      id: string;
      destination_forward: string;
      destination_node_id: string;
    }>('SELECT id, destination_forward, destination_node_id FROM tunnels ORDER BY id');
    const byId = new Map(this.nodes.map((node) => [node.id, node]));
    return rows.map(({ id, destination_forward: wanted, destination_node_id: nodeId }) => {
      const sent = byId.get(nodeId)?.tunnels.get(id) as { readonly local_addr: string } | undefined;
      return { wanted, sent: sent?.local_addr };
    });
  }

  /** Raises no more, waits until all is confirmed, and compares with what is stored. */
  async ledger(): Promise<{ readonly raised: number; readonly missing: readonly string[]; readonly doubled: number }> {
    clearInterval(this.#raising);
    await until(() => this.nodes.every(({ unconfirmed }) => unconfirmed === 0), {
      what: 'every event is confirmed',
      pollMs: 100,
    });
    const { rows } = await this.#database.query<{ event_id: string }>(
      `SELECT event_id FROM events WHERE category = 'trial'`,
    );
    const stored = new Set(rows.map(({ event_id: id }) => id));
    const raised = this.nodes.flatMap((node) => node.raised);
    return {
      raised: raised.length,
      missing: raised.filter((id) => !stored.has(id)),
      doubled: rows.length - stored.size,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#raising);
    this.#proxy.mend();
    await this.#disposal.disposeAsync();
  }

  async #online(witness: ManagerProcess): Promise<readonly string[]> {
    const online: string[] = [];
    let after = '';
    do {
      const { items, next } = (await witness.done('GET', `nodes?limit=500${after}`)) as unknown as Owned;
      online.push(...items.filter(({ state }) => state === 'online').map(({ id }) => id));
      after = next === null ? '' : `&after=${encodeURIComponent(next)}`;
    } while (after !== '');
    return online;
  }
}

/** One for each pair of edges. */
async function makeTunnels(
  manager: ManagerProcess | undefined,
  relays: readonly RoamingNode[],
  edges: readonly RoamingNode[],
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let index = 0; index + 1 < edges.length; index += 2) {
    const made = await manager?.done('POST', 'tunnels', {
      name: `tunnel ${index}`,
      protocol: 'udp',
      source: { node_id: edges[index]?.id, listen: '127.0.0.1:5000' },
      destination: { node_id: edges[index + 1]?.id, forward: '127.0.0.1:5001' },
      relays: [{ node_id: relays[(index / 2) % relays.length]?.id, relay_addr: 'relay.example:4433' }],
    });
    ids.push(String(made?.['id']));
  }
  return ids;
}

async function startInstance(
  name: InstanceName,
  { url, listen, key }: { readonly url: string; readonly listen: string | null; readonly key: string },
): Promise<ManagerProcess> {
  const limits = { unauthenticated_sockets: 2_000, unauthenticated_per_address: 2_000 };
  const database = { url, listen_url: listen };
  return ManagerProcess.start({
    config: { database, limits, instance_name: name },
    env: { ADIT_MASTER_KEY: key },
    reachable: true,
  });
}

async function addNode(database: pg.Client, id: string, kind: 'relay' | 'edge'): Promise<void> {
  await database.query(
    `INSERT INTO nodes (id, name, kind, description, created_at, updated_at) VALUES ($1, $1, $2, '', 1, 1)`,
    [id, kind],
  );
  await database.query(
    `INSERT INTO node_secrets (id, node_id, hash, state, created_at, first_used_at) VALUES ($1, $1, $2, 'in_use', 1, 1)`,
    [id, hashSecret(id)],
  );
}
