import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import type { ReceivedEvent } from '../peers/managed-node.ts';
import { openEngine } from './open-engine.ts';
import { ScriptedEdge } from '../peers/scripted-edge.ts';
import { TestManager } from '../peers/test-manager.ts';
import { until } from '../until.ts';

export interface OutageOptions {
  readonly engine: EngineName;
  /** Edges that connect and leave while the manager is away. */
  readonly edges: number;
  readonly atOnce: number;
  /** How long the manager is away at least. */
  readonly awayMs: number;
}

export interface OutageResult {
  /** Events that the relay had raised, by its own log: kind and address. */
  readonly raised: readonly string[];
  /** Of those, which never came. The last one before the kill, which may have been logged and not raised, is left out. */
  readonly missing: readonly string[];
  /** Edges that were greeted by the relay, and connect events that came. */
  readonly greeted: number;
  readonly connected: number;
  /** Events that came more than once, and those of them that were not the same to the byte. */
  readonly repeats: number;
  readonly differentRepeats: number;
  /** Whether events came in the order in which they were raised, repeats left out. */
  readonly inOrder: boolean;
  readonly deliveryMs: number;
}

const program = fileURLToPath(new URL('../../../bin/adit', import.meta.url));

/** The manager goes away, edges come and go, the relay is killed with -9 in the middle and started again, the manager is back. */
export async function runOutage({ engine, edges, atOnce, awayMs }: OutageOptions): Promise<OutageResult> {
  await using stack = new AsyncDisposableStack();
  const manager = stack.use(await TestManager.start());
  const relay = stack.use(await RelayRuns.prepare(manager, engine));
  const quic = stack.use(await openEngine(engine));
  await relay.start();
  await manager.event('Connected to manager', 20_000);
  manager.upgradeAnswer = 'refuse';
  manager.dropAll();
  const awaySince = performance.now();

  const visit = async (): Promise<boolean> => {
    const edge = (await ScriptedEdge.connect(quic, relay.address)).greet('visitor');
    await edge.expect('hello_ack');
    edge.close();
    return true;
  };
  let greeted = await visitAll(visit, Math.floor(edges / 2), atOnce, () => undefined);
  // Some are on their way in when the relay dies; these learn nothing of it.
  const lastVisit = (): Promise<boolean> => Promise.race([visit(), relay.killed().then(() => false)]);
  greeted += await visitAll(lastVisit, atOnce, atOnce, () => void setTimeout(() => relay.kill(), 30));
  await relay.killed();
  await relay.start();
  greeted += await visitAll(visit, Math.ceil(edges / 2), atOnce, () => undefined);
  const restMs = awayMs - (performance.now() - awaySince);
  if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));

  manager.upgradeAnswer = 'normal';
  const backAt = performance.now();
  const raised = relay.raised();
  const missing = (): string[] => {
    const arrived = new Set(numbered(manager.distinctEvents.map(nameOf)));
    const names = numbered(raised).filter((name) => !arrived.has(name));
    // Edges may share an address, so its last number is missing, whichever of its events it was.
    const doubtful = names.findIndex((name) => name.startsWith(`${relay.lastBeforeKill} (`));
    return doubtful === -1 ? names : names.toSpliced(doubtful, 1);
  };
  await until(() => missing().length === 0, {
    what: 'every event that was raised',
    pollMs: 100,
  });
  const deliveryMs = performance.now() - backAt;
  return {
    raised,
    missing: missing(),
    greeted,
    deliveryMs,
    ...judge(manager.events),
  };
}

async function visitAll(
  visit: () => Promise<boolean>,
  count: number,
  atOnce: number,
  begun: () => void,
): Promise<number> {
  let greeted = 0;
  for (let done = 0; done < count; done += atOnce) {
    const visits = Array.from({ length: Math.min(atOnce, count - done) }, visit);
    begun();
    const results = await Promise.allSettled(visits);
    greeted += results.filter((result) => result.status === 'fulfilled' && result.value).length;
  }
  return greeted;
}

function judge(events: readonly ReceivedEvent[]) {
  const byId = Map.groupBy(events, (event) => String(event.payload.details?.['event_id']));
  const repeated = [...byId.values()].filter((same) => same.length > 1);
  const differing = repeated.filter((same) => new Set(same.map((event) => JSON.stringify(event))).size > 1);
  const firsts = [...byId.values()].map(([event]) => event?.timestamp ?? '');
  return {
    connected: [...byId.values()].filter(([event]) => event?.payload.message.startsWith('Edge connected') === true)
      .length,
    repeats: repeated.length,
    differentRepeats: differing.length,
    inOrder: firsts.every((timestamp, index) => index === 0 || timestamp >= (firsts[index - 1] ?? '')),
  };
}

/** `edge connected 127.0.0.1:4711`, as the log has it. */
function nameOf({ payload }: ReceivedEvent): string {
  const kind = payload.message.startsWith('Edge connected') ? 'edge connected' : 'edge disconnected';
  return payload.category === 'edge' ? `${kind} ${String(payload.details?.['remote_addr'])}` : payload.message;
}

/** Several edges may come from one address, one after the other: each of their events counts. */
function numbered(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  return names.map((name) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return `${name} (${count})`;
  });
}

/** One relay's files, and the processes that run on them one after the other. */
class RelayRuns implements AsyncDisposable {
  readonly #directory: string;
  readonly #logs: string[] = [];
  #child: ChildProcess | null = null;
  #exited: Promise<unknown> = Promise.resolve();
  address = '';
  lastBeforeKill = '';

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async prepare(manager: TestManager, engine: EngineName): Promise<RelayRuns> {
    const directory = await mkdtemp(join(tmpdir(), 'adit-outage-'));
    manager.secrets.set('relay', new Set(['s']));
    const config = {
      quic_addrs: ['127.0.0.1:0'],
      api_addrs: ['127.0.0.1:0'],
      max_connections_per_ip: 100_000,
      limits: { max_connections: 100_000, accept_rate_per_ip_per_sec: 0 },
      quic: { engine },
      manager: manager.configFor({ node_id: 'relay', node_secret: 's' }),
    };
    await writeFile(join(directory, 'config.json'), JSON.stringify(config));
    return new RelayRuns(directory);
  }

  async start(): Promise<void> {
    const log = join(this.#directory, `log-${this.#logs.length}`);
    this.#logs.push(log);
    this.#child = spawn(program, ['relay', '-c', join(this.#directory, 'config.json')], {
      stdio: ['ignore', 'ignore', openSync(log, 'w')],
    });
    this.#exited = once(this.#child, 'exit');
    const started = await until(() => this.#lines(log).find((line) => line.msg === 'relay started'), {});
    this.address = started.quic_addrs?.[0] ?? '';
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  async killed(): Promise<void> {
    await this.#exited;
    this.lastBeforeKill = this.raised().at(-1) ?? '';
  }

  /** The comings and goings of edges that the log tells, over all runs. */
  raised(): string[] {
    const lines = this.#logs.flatMap((log) => this.#lines(log));
    return lines.flatMap(({ msg, remote_addr: address }) =>
      msg === 'edge connected' || msg === 'edge disconnected' ? [`${msg} ${String(address)}`] : [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child?.kill('SIGTERM');
    await this.#exited;
    await rm(this.#directory, { recursive: true });
  }

  /** Whole lines only: the last one may be half written. */
  #lines(log: string): { msg: string; remote_addr?: string; quic_addrs?: string[] }[] {
    const text = readFileSync(log, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    return whole.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as { msg: string }] : []));
  }
}
