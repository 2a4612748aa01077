import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { z } from 'zod';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { parseJson } from '../../lib/json.ts';
import { TurnQueue } from '../../lib/turn-queue.ts';
import { encoded, readAgain, type DashboardFeed, type FeedReader } from './dashboard-feed.ts';
import { dashboardUpdate } from './dashboard-update.ts';
import type { FleetMirror } from './fleet-mirror.ts';

export interface DashboardDependencies {
  readonly feed: DashboardFeed;
  readonly mirror: FleetMirror;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the socket may open, and later whether it may stay: the session may have ended meanwhile. */
  readonly admit: (request: IncomingMessage) => Promise<'admitted' | 'unauthorized' | 'cross-site'>;
}

/** A browser that reads more slowly gets a fresh snapshot later instead of all that it missed. */
const mostBufferedBytes = 1_048_576;
const mostFrameBytes = 65_536;
const mostSockets = 1_000;
const mostTopics = 100;
const tickMs = 2_000;
const recheckMs = 15_000;
/** A client that subscribes to nothing gets the field's `dashboard_update` so often. */
const updateMs = 2_000;

const asText = { binary: false } as const;

const subscribeSchema = z.object({ subscribe: z.array(z.string().max(200)).max(mostTopics) });

const refusals = {
  unauthorized: 'HTTP/1.1 401 Unauthorized',
  'cross-site': 'HTTP/1.1 403 Forbidden',
  full: 'HTTP/1.1 503 Service Unavailable',
} as const;

/** `/ws/dashboard`: what browsers listen to. */
export class DashboardSockets {
  readonly #dependencies: DashboardDependencies;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: mostFrameBytes, perMessageDeflate: false });
  readonly #open = new Set<DashboardSocket>();

  constructor(dependencies: DashboardDependencies) {
    this.#dependencies = dependencies;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    void this.#upgrade(request, socket, head);
  }

  stop(): void {
    for (const one of this.#open) one.close(1001);
    this.#server.close();
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { admit, logger } = this.#dependencies;
    try {
      const answer = this.#open.size >= mostSockets ? 'full' : await admit(request);
      if (answer !== 'admitted') {
        socket.end(`${refusals[answer]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
        return;
      }
      this.#server.handleUpgrade(request, socket, head, (ws) => this.#opened(ws, request));
    } catch (error) {
      logger.debug({ error }, 'a dashboard socket was not admitted');
      socket.destroy();
    }
  }

  #opened(ws: WebSocket, request: IncomingMessage): void {
    const one = new DashboardSocket(ws, this.#dependencies, () => this.#dependencies.admit(request));
    this.#open.add(one);
    ws.on('close', () => {
      this.#open.delete(one);
      one.closed();
    });
  }
}

class DashboardSocket implements FeedReader {
  readonly #ws: WebSocket;
  readonly #dependencies: DashboardDependencies;
  readonly #timers: Timer[];
  topics: ReadonlySet<string> = new Set();
  #subscribed = false;
  #lagging = false;
  /** News that wait for the end of a snapshot, which is older; null while none is sent. */
  #behind: Buffer[] | null = null;
  readonly #turns = new TurnQueue();

  constructor(ws: WebSocket, dependencies: DashboardDependencies, admit: () => Promise<string>) {
    this.#ws = ws;
    this.#dependencies = dependencies;
    const { clock, feed } = dependencies;
    ws.on('error', () => ws.terminate());
    ws.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) void this.#read(data.toString());
    });
    this.#timers = [
      clock.setInterval(() => void this.#tick(), tickMs),
      clock.setInterval(() => void this.#recheck(admit), recheckMs),
      clock.setInterval(() => void this.#update(), updateMs),
    ];
    feed.add(this);
    void this.#tick();
    void this.#update();
  }

  send(message: Buffer): void {
    if (this.#lagging) return;
    const waiting = this.#behind?.reduce((bytes, { length }) => bytes + length, 0) ?? 0;
    if (this.#ws.bufferedAmount + waiting > mostBufferedBytes) {
      this.#lagging = true;
      this.#behind = this.#behind === null ? null : [];
    } else if (this.#behind !== null) this.#behind.push(message);
    else this.#ws.send(message, asText);
  }

  close(code: number, reason = ''): void {
    this.#ws.close(code, reason);
  }

  closed(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#dependencies.feed.remove(this);
  }

  async #read(text: string): Promise<void> {
    const message = subscribeSchema.safeParse(parseJson(text));
    if (!message.success) return;
    this.#subscribed = true;
    const fresh = message.data.subscribe.filter((topic) => !this.topics.has(topic));
    this.topics = new Set(message.data.subscribe);
    await this.#snapshots(fresh);
  }

  #snapshots(topics: readonly string[]): Promise<void> {
    return this.#turns.run(async () => {
      this.#behind = [];
      try {
        for (const topic of topics) {
          // One part after the other, as the browser reads: all at once are more than may wait for it.
          for (const part of await this.#dependencies.feed.snapshot(topic)) await this.#sent(part);
        }
      } catch (error) {
        this.#dependencies.logger.debug({ error }, 'a snapshot could not be read');
      }
      const news = this.#behind;
      this.#behind = null;
      for (const message of news) this.send(message);
    });
  }

  #sent(part: Buffer): Promise<void> {
    // A socket that ends calls back, too: its other parts go nowhere.
    return new Promise((resolve) => this.#ws.send(part, asText, () => resolve()));
  }

  /** Also a sign of life: the page calls its data old when none comes. */
  async #tick(): Promise<void> {
    if (this.#ws.bufferedAmount > mostBufferedBytes) return;
    if (this.#lagging) {
      this.#lagging = false;
      await this.#snapshots(Array.from(this.topics));
      // Snapshots name no row that is gone, and of most topics none at all.
      for (const topic of this.topics) this.send(encoded(readAgain(topic)));
    }
    this.#ws.send(JSON.stringify({ type: 'tick', at: this.#dependencies.clock.now() }));
  }

  async #update(): Promise<void> {
    if (this.#subscribed || this.#ws.bufferedAmount > mostBufferedBytes) return;
    try {
      const nodes = await this.#dependencies.mirror.nodes();
      this.#ws.send(JSON.stringify(dashboardUpdate(nodes.values())));
    } catch (error) {
      this.#dependencies.logger.debug({ error }, 'a dashboard update could not be read');
    }
  }

  async #recheck(admit: () => Promise<string>): Promise<void> {
    const answer = await admit().catch(() => 'admitted');
    if (answer !== 'admitted') this.close(4401, 'the session has ended');
  }
}
