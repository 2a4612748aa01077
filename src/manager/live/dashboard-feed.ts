import type { Clock, Timer } from '../../lib/clock.ts';
import { nodeWire, tunnelWire, flowWire, eventWire } from '../views/wire.ts';
import type { Fleet } from '../fleet.ts';
import type { EventRow } from '../store/schema.ts';
import type { FlapCounter } from './flap-counter.ts';
import type { FleetMirror } from './fleet-mirror.ts';
import { unlessGone } from './unless-gone.ts';

interface FeedMessage {
  readonly type: 'snapshot' | 'delta';
  readonly topic: string;
  readonly items?: readonly unknown[];
  readonly removed?: readonly string[];
  /** Further parts of the same snapshot follow. */
  readonly more?: boolean;
}

/** Where messages of a topic go. */
export interface FeedReader {
  readonly topics: ReadonlySet<string>;
  /** JSON; shared by all readers. */
  send(message: Buffer): void;
}

export interface FeedSources {
  readonly fleet: Fleet;
  readonly mirror: FleetMirror;
  readonly flaps: FlapCounter;
  readonly clock: Clock;
}

/** Deltas are sent at most so often. */
const periodMs = 500;
const rowsPerMessage = 500;
/** What a reader of one node's stats subscribes to begins so; its id follows. */
const nodeTopic = 'node:';
/** More changed tunnels than this within a period: readers are asked to read again. */
const mostRows = 500;

/**
 * Collects what changes in the fleet and sends it to readers at most twice a second. Reads nothing while no page
 * listens.
 */
export class DashboardFeed {
  readonly #sources: FeedSources;
  readonly #readers = new Set<FeedReader>();
  readonly #nodes = new Set<string>();
  readonly #tunnels = new Set<string>();
  readonly #flows = new Set<string>();
  readonly #stats = new Set<string>();
  /** Nodes whose stats readers wanted at the last flush. */
  #watched: ReadonlySet<string> = new Set();
  #events: EventRow[] = [];
  /** Those of the last snapshot, until a node changes. */
  #allNodes: Promise<readonly Buffer[]> | null = null;
  #driftChanged = false;
  #timer: Timer | null = null;
  #unsubscribe: (() => void) | null = null;
  #busy = false;

  constructor(sources: FeedSources) {
    this.#sources = sources;
  }

  start(): void {
    const { fleet, clock } = this.#sources;
    this.#unsubscribe = fleet.subscribe({
      nodesChanged: (ids) => this.#noteNodes(ids),
      legsChanged: (tunnels, flows) => {
        this.#note(this.#tunnels, tunnels);
        this.#note(this.#flows, flows);
      },
      driftChanged: (ids) => {
        this.#driftChanged = true;
        this.#noteNodes(ids);
      },
      eventsStored: (events) => {
        if (this.#readers.size > 0) this.#events.push(...events.slice(-mostRows));
      },
      statsReceived: (id) => {
        if (this.#watched.has(id)) this.#stats.add(id);
      },
    });
    this.#timer = clock.setInterval(() => void this.#flush(), periodMs);
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#timer?.cancel();
    this.#readers.clear();
  }

  add(reader: FeedReader): void {
    this.#readers.add(reader);
  }

  remove(reader: FeedReader): void {
    this.#readers.delete(reader);
  }

  /**
   * All rows of a topic as messages, in parts; a topic that has only news gets an empty one. Readers that come while
   * nothing changes share the messages: of a large fleet they are megabytes.
   */
  snapshot(topic: string): Promise<readonly Buffer[]> {
    if (topic !== 'nodes') return Promise.resolve([encoded({ type: 'snapshot', topic, items: [] })]);
    const known = this.#allNodes;
    if (known !== null) return known;
    const made = this.#encodeNodes();
    this.#allNodes = made;
    made.catch(() => this.#forgetAllNodes(made));
    return made;
  }

  async #encodeNodes(): Promise<readonly Buffer[]> {
    const [nodes, counts] = [await this.#sources.mirror.nodes(), await this.#sources.flaps.counts()];
    const rows = Array.from(nodes.values());
    const parts = Math.max(1, Math.ceil(rows.length / rowsPerMessage));
    return Array.from({ length: parts }, (_, index) => {
      const part = rows.slice(index * rowsPerMessage, (index + 1) * rowsPerMessage);
      const items = part.map((node) => nodeWire(node, counts.get(node.id) ?? 0));
      return encoded({ type: 'snapshot', topic: 'nodes', items, more: index < parts - 1 });
    });
  }

  #forgetAllNodes(made: Promise<readonly Buffer[]> | null): void {
    if (this.#allNodes === made) this.#allNodes = null;
  }

  #noteNodes(ids: readonly string[]): void {
    this.#allNodes = null;
    this.#note(this.#nodes, ids);
  }

  #note(into: Set<string>, ids: readonly string[]): void {
    if (this.#readers.size === 0) return;
    for (const id of ids) into.add(id);
  }

  async #flush(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await this.#flushNodes();
      await this.#flushTunnels();
      await this.#flushFlows();
      await this.#flushRest();
    } catch {
      // The database is away: readers see that nothing comes, and read again when it is back.
    } finally {
      this.#busy = false;
    }
  }

  async #flushNodes(): Promise<void> {
    const ids = taken(this.#nodes);
    if (ids.length === 0 || !this.#wanted('nodes')) return;
    const [nodes, counts] = [await this.#sources.mirror.nodes(), await this.#sources.flaps.counts()];
    const found = ids.map((id) => nodes.get(id)).filter((node) => node !== undefined);
    const items = found.map((node) => nodeWire(node, counts.get(node.id) ?? 0));
    this.#send({ type: 'delta', topic: 'nodes', items, removed: ids.filter((id) => !nodes.has(id)) });
    const overview = await this.#sources.fleet.overview();
    this.#send({ type: 'delta', topic: 'overview', items: [overview] });
  }

  async #flushTunnels(): Promise<void> {
    const ids = taken(this.#tunnels);
    if (ids.length === 0) return;
    this.#send({ type: 'delta', topic: 'legs', items: [] });
    if (!this.#wanted('tunnels')) return;
    const { mirror, fleet } = this.#sources;
    const nodes = await mirror.nodes();
    const tunnels = await Promise.all(ids.slice(0, mostRows).map((id) => unlessGone(fleet.tunnels.get(id))));
    const items = tunnels.filter((tunnel) => tunnel !== null).map((tunnel) => tunnelWire(tunnel, nodes));
    const removed = items.filter(({ removed_at }) => removed_at !== null).map(({ id }) => id);
    this.#send({ type: 'delta', topic: 'tunnels', items, removed });
  }

  async #flushFlows(): Promise<void> {
    const ids = taken(this.#flows);
    if (ids.length === 0) return;
    this.#send({ type: 'delta', topic: 'legs', items: [] });
    if (!this.#wanted('flows')) return;
    const { mirror, fleet } = this.#sources;
    const nodes = await mirror.nodes();
    const flows = await Promise.all(ids.slice(0, mostRows).map((id) => unlessGone(fleet.flows.get(id))));
    const items = flows.filter((flow) => flow !== null).map((flow) => flowWire(flow, nodes));
    const removed = items.filter(({ removed_at }) => removed_at !== null).map(({ id }) => id);
    this.#send({ type: 'delta', topic: 'flows', items, removed });
  }

  async #flushRest(): Promise<void> {
    this.#watched = this.#nodesOfTopics();
    for (const id of taken(this.#stats)) {
      if (!this.#watched.has(id)) continue;
      this.#send({ type: 'delta', topic: nodeTopic + id, items: [await this.#sources.fleet.nodes.stats(id)] });
    }
    if (this.#driftChanged) this.#send({ type: 'delta', topic: 'drift', items: [] });
    this.#driftChanged = false;
    const events = this.#events;
    this.#events = [];
    if (events.length === 0 || !this.#wanted('events')) return;
    const nodes = await this.#sources.mirror.nodes();
    this.#send({ type: 'delta', topic: 'events', items: events.map((event) => eventWire(event, nodes)) });
  }

  #wanted(topic: string): boolean {
    for (const { topics } of this.#readers) if (topics.has(topic)) return true;
    return false;
  }

  #nodesOfTopics(): ReadonlySet<string> {
    const topics = Array.from(this.#readers, (reader) => [...reader.topics]).flat();
    return new Set(topics.filter((topic) => topic.startsWith(nodeTopic)).map((topic) => topic.slice(nodeTopic.length)));
  }

  #send(message: FeedMessage): void {
    if (!this.#wanted(message.topic)) return;
    const frame = encoded(message);
    for (const reader of this.#readers) if (reader.topics.has(message.topic)) reader.send(frame);
  }
}

function encoded(message: FeedMessage): Buffer {
  return Buffer.from(JSON.stringify(message));
}

function taken(ids: Set<string>): string[] {
  const all = Array.from(ids);
  ids.clear();
  return all;
}
