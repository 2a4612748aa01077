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
  /** Something changed that no notice names. */
  #missed = false;
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
      allChanged: () => {
        this.#allNodes = null;
        this.#missed = true;
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
      const changedByTime = this.#sources.mirror.takeChangedByTime();
      if (changedByTime.length > 0) this.#noteNodes(changedByTime);
      await this.#taking(this.#nodes, (ids) => this.#flushNodes(ids));
      await this.#taking(this.#tunnels, (ids) => this.#flushTunnels(ids));
      await this.#taking(this.#flows, (ids) => this.#flushFlows(ids));
      await this.#flushRest();
      if (this.#missed) for (const topic of this.#wantedTopics()) this.#send(readAgain(topic));
      this.#missed = false;
    } catch {
      // The database is away: the same is tried in the next period.
    } finally {
      this.#busy = false;
    }
  }

  /** What could not be sent is not forgotten. */
  async #taking(noted: Set<string>, flush: (ids: readonly string[]) => Promise<void>): Promise<void> {
    const ids = Array.from(noted);
    noted.clear();
    if (ids.length === 0) return;
    try {
      await flush(ids);
    } catch (error) {
      this.#note(noted, ids);
      throw error;
    }
  }

  async #flushNodes(ids: readonly string[]): Promise<void> {
    if (!this.#wanted('nodes')) return;
    const [nodes, counts] = [await this.#sources.mirror.nodes(), await this.#sources.flaps.counts()];
    const found = ids.map((id) => nodes.get(id)).filter((node) => node !== undefined);
    const items = found.map((node) => nodeWire(node, counts.get(node.id) ?? 0));
    this.#send({ type: 'delta', topic: 'nodes', items, removed: ids.filter((id) => !nodes.has(id)) });
    const overview = await this.#sources.fleet.overview();
    this.#send({ type: 'delta', topic: 'overview', items: [overview] });
  }

  async #flushTunnels(ids: readonly string[]): Promise<void> {
    this.#send(readAgain('legs'));
    if (!this.#wanted('tunnels')) return;
    if (ids.length > mostRows) {
      this.#send(readAgain('tunnels'));
      return;
    }
    const { mirror, fleet } = this.#sources;
    const nodes = await mirror.nodes();
    const tunnels = await Promise.all(ids.map((id) => unlessGone(fleet.tunnels.get(id))));
    const items = tunnels.filter((tunnel) => tunnel !== null).map((tunnel) => tunnelWire(tunnel, nodes));
    const removed = items.filter(({ removed_at }) => removed_at !== null).map(({ id }) => id);
    this.#send({ type: 'delta', topic: 'tunnels', items, removed });
  }

  async #flushFlows(ids: readonly string[]): Promise<void> {
    this.#send(readAgain('legs'));
    if (!this.#wanted('flows')) return;
    if (ids.length > mostRows) {
      this.#send(readAgain('flows'));
      return;
    }
    const { mirror, fleet } = this.#sources;
    const nodes = await mirror.nodes();
    const flows = await Promise.all(ids.map((id) => unlessGone(fleet.flows.get(id))));
    const items = flows.filter((flow) => flow !== null).map((flow) => flowWire(flow, nodes));
    const removed = items.filter(({ removed_at }) => removed_at !== null).map(({ id }) => id);
    this.#send({ type: 'delta', topic: 'flows', items, removed });
  }

  async #flushRest(): Promise<void> {
    this.#watched = this.#nodesOfTopics();
    const reported = Array.from(this.#stats);
    this.#stats.clear();
    for (const id of reported) {
      if (!this.#watched.has(id)) continue;
      this.#send({ type: 'delta', topic: nodeTopic + id, items: [await this.#sources.fleet.nodes.stats(id)] });
    }
    if (this.#driftChanged) this.#send(readAgain('drift'));
    this.#driftChanged = false;
    if (!this.#wanted('events')) this.#events = [];
    if (this.#events.length === 0) return;
    const nodes = await this.#sources.mirror.nodes();
    const events = this.#events;
    this.#events = [];
    this.#send({ type: 'delta', topic: 'events', items: events.map((event) => eventWire(event, nodes)) });
  }

  #wanted(topic: string): boolean {
    for (const { topics } of this.#readers) if (topics.has(topic)) return true;
    return false;
  }

  #wantedTopics(): readonly string[] {
    return Array.from(new Set(Array.from(this.#readers, ({ topics }) => [...topics]).flat()));
  }

  #nodesOfTopics(): ReadonlySet<string> {
    const topics = this.#wantedTopics().filter((topic) => topic.startsWith(nodeTopic));
    return new Set(topics.map((topic) => topic.slice(nodeTopic.length)));
  }

  #send(message: FeedMessage): void {
    if (!this.#wanted(message.topic)) return;
    const frame = encoded(message);
    for (const reader of this.#readers) if (reader.topics.has(message.topic)) reader.send(frame);
  }
}

export function encoded(message: FeedMessage): Buffer {
  return Buffer.from(JSON.stringify(message));
}

/** A change without rows: readers of the topic read it again. */
export function readAgain(topic: string): FeedMessage {
  return { type: 'delta', topic, items: [] };
}
