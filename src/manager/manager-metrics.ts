import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { addProcessMetrics } from '../admin/process-metrics.ts';
import type { Clock } from '../lib/clock.ts';
import { EventLoopWatch } from '../lib/event-loop-watch.ts';
import type { Manager } from './manager.ts';
import type { OpenDatabase } from './store/open-database.ts';

const prefix = 'adit_manager_';

/** What Prometheus reads; gathered when it is scraped. */
export class ManagerMetrics {
  readonly #registry = new Registry();
  readonly #manager: Manager;
  readonly #loop: EventLoopWatch;

  constructor(manager: Manager, { clock, database }: { readonly clock: Clock; readonly database: OpenDatabase }) {
    this.#manager = manager;
    this.#loop = new EventLoopWatch(clock);
    this.#loop.start();
    addProcessMetrics(this.#registry, this.#loop);
    this.#addFleet();
    this.#addHub(database);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  stop(): void {
    this.#loop.stop();
  }

  #addFleet(): void {
    const { fleet } = this.#manager;
    const { store } = this.#manager.parts;
    this.#gauge('nodes', 'Nodes by state.', ['state'], async (gauge) => {
      for (const [state, count] of Object.entries((await fleet.overview()).nodes)) gauge.set({ state }, count);
    });
    this.#gauge('node_online', 'Nodes that are connected to this instance.', ['node'], (gauge) => {
      for (const { name } of this.#manager.parts.roster.nodes) gauge.set({ node: name }, 1);
    });
    this.#gauge('legs', 'Legs by push state and role.', ['status', 'role'], async (gauge) => {
      for (const { role, push_status: status, count } of await store.legs.counts()) gauge.set({ status, role }, count);
    });
    this.#gauge('drift_open', 'Differences that are open and not muted, by kind.', ['kind'], async (gauge) => {
      for (const { kind, count } of await store.drift.countsByNode()) gauge.inc({ kind }, count);
    });
  }

  #addHub(database: OpenDatabase): void {
    const { inbox, lease, roster, desk, admission, pushes } = this.#manager.parts;
    const single = (name: string, help: string, read: () => number): void =>
      this.#gauge(name, help, [], (gauge) => gauge.set(read()));
    single('events_uncommitted', 'Events that wait for the database.', () => inbox.uncommitted);
    single('commands_unanswered', 'Commands that wait for their node.', () => desk.unanswered);
    single('instance_lease_age_seconds', 'Time since the lease was renewed.', () => lease.ageMs / 1000);
    single('ws_buffered_bytes', 'Bytes that nodes have not read yet.', () =>
      roster.nodes.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0),
    );
    single('loop_lag_seconds', 'The worst of the last 10 to 20 s.', () => this.#loop.lag().worstMs / 1000);
    this.#gauge('database', 'Always 1; names the engine.', ['engine'], (gauge) =>
      gauge.set({ engine: database.engine }, 1),
    );
    this.#counter('pushes_total', 'Pushes by how they ended.', ['result'], () => pushes);
    this.#counter('ws_frames_total', 'Frames of nodes by kind.', ['type'], () => roster.frames);
    this.#counter('auth_failures_total', 'Nodes that were refused, by reason.', ['reason'], () => admission.refusals);
    this.#counter('commands_total', 'Commands by type and how they ended.', ['command'], () => desk.results);
    this.#counter(
      'sessions_replaced_total',
      'Sessions that a newer one replaced.',
      [],
      () => new Map([['', roster.replaced]]),
    );
    const commits = new Histogram({
      name: `${prefix}commit_seconds`,
      help: 'Time to store a group of events.',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
      registers: [this.#registry],
      collect: () => {
        for (const ms of inbox.takeCommitTimes()) commits.observe(ms / 1000);
      },
    });
  }

  #gauge(name: string, help: string, labelNames: string[], read: (gauge: Gauge) => void | Promise<void>): void {
    const gauge: Gauge = new Gauge({
      name: prefix + name,
      help,
      labelNames,
      registers: [this.#registry],
      async collect() {
        gauge.reset();
        await read(gauge);
      },
    });
  }

  #counter(name: string, help: string, labelNames: string[], read: () => ReadonlyMap<string, number>): void {
    const counter: Counter = new Counter({
      name: prefix + name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        counter.reset();
        for (const [label, count] of read()) {
          const [key] = labelNames;
          counter.inc(key === undefined ? {} : { [key]: label }, count);
        }
      },
    });
  }
}
