import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { CpuMeter, cpuMsOf } from '../cpu-meter.ts';
import { readMemory } from '../procfs.ts';
import { BenchChild } from './bench-child.ts';
import type { Connected, Counted, EventsSent, NodesQuestion, ServerReport } from './messages.ts';

const nodesPerChild = 2_500;
const browsers = 20;
const token = 'adit_bench';
export const mebibyte = 1_048_576;

/** What a server costs while its nodes send stats. */
export interface StatsFigures {
  /** Cores, for a frame of each node a second; a machine that is too busy to send them all does not lower it. */
  readonly cpu: number;
  readonly rssMb: number;
  readonly lagMs: number;
  /** Statements a second; null where they are not counted. */
  readonly writes: number | null;
  readonly open: number;
}

export interface EventFigures {
  readonly perSecond: number;
  readonly commitMs: number;
  readonly confirmedMs: number;
}

/** A server with simulated nodes that are connected to it. */
export class ServerTrial implements AsyncDisposable {
  readonly #start: (port: number, isFirst: boolean) => BenchChild;
  readonly #nodes: readonly BenchChild[];
  readonly #browsers: readonly WebSocket[];
  readonly #port: number;
  #server: BenchChild;

  private constructor(
    parts: {
      readonly server: BenchChild;
      readonly nodes: readonly BenchChild[];
      readonly browsers: readonly WebSocket[];
    },
    port: number,
    start: (port: number, isFirst: boolean) => BenchChild,
  ) {
    this.#server = parts.server;
    this.#nodes = parts.nodes;
    this.#browsers = parts.browsers;
    this.#port = port;
    this.#start = start;
  }

  static echo(nodes: number): Promise<ServerTrial> {
    return ServerTrial.#begin(nodes, 'plain', () => new BenchChild('echo-child.ts', []));
  }

  /** `url` null: an embedded database in the folder. */
  static manager(nodes: number, folder: string, url: string | null): Promise<ServerTrial> {
    const database = url ?? `sqlite:${join(folder, 'manager.db')}`;
    return ServerTrial.#begin(nodes, 'auth', (port, isFirst) => {
      const added = isFirst ? nodes : 0;
      return new BenchChild('manager-child.ts', [folder, database, String(port), String(added), token]);
    });
  }

  static async #begin(
    nodes: number,
    mode: 'plain' | 'auth',
    start: (port: number, isFirst: boolean) => BenchChild,
  ): Promise<ServerTrial> {
    const server = start(0, true);
    const { port } = await server.answer<ServerReport>();
    const clients: BenchChild[] = [];
    for (let from = 0; from < nodes; from += nodesPerChild) {
      const count = Math.min(nodesPerChild, nodes - from);
      const args = [`wss://127.0.0.1:${port}/ws/node`, String(count), mode, String(from)];
      clients.push(new BenchChild('nodes-child.ts', args));
    }
    await Promise.all(clients.map((client) => client.answer<Connected>()));
    const watching = mode === 'plain' ? [] : Array.from({ length: browsers }, () => watch(port));
    return new ServerTrial({ server, nodes: clients, browsers: watching }, port, start);
  }

  async stats(seconds: number): Promise<StatsFigures> {
    const counted = await this.#count();
    const before = await this.#server.ask<ServerReport>({});
    const meter = new CpuMeter({ server: this.#server.pid });
    await pause(seconds * 1_000);
    const use = meter.read();
    const after = await this.#server.ask<ServerReport>({});
    const { open, sent } = await this.#count();
    const writes = after.writes === null || before.writes === null ? null : (after.writes - before.writes) / seconds;
    return {
      cpu: (cpuMsOf(use, 'server') * open) / Math.max(1, sent - counted.sent) / 1_000,
      rssMb: readMemory(this.#server.pid).rssBytes / mebibyte,
      lagMs: after.lagMs,
      writes,
      open,
    };
  }

  async events(perSecond: number, seconds: number): Promise<EventFigures> {
    await this.#server.ask<ServerReport>({});
    const share = perSecond / this.#nodes.length;
    const sent = await this.#askNodes<EventsSent>({ kind: 'events', perSecond: share, seconds });
    const { commitMs } = await this.#server.ask<ServerReport>({});
    const total = sent.reduce((sum, one) => sum + one.sent, 0);
    return {
      perSecond: (total * 1_000) / Math.max(...sent.map(({ tookMs }) => tookMs)),
      commitMs: commitMs ?? Number.NaN,
      confirmedMs: Math.max(...sent.map(({ confirmedMs }) => confirmedMs)),
    };
  }

  /** Kills the server with -9 and starts it again; milliseconds from then until the last node is in. */
  async restart(): Promise<number> {
    for (const browser of this.#browsers) browser.terminate();
    await this.#server[Symbol.asyncDispose]();
    const startedMs = performance.now();
    const back = this.#askNodes<Connected>({ kind: 'reconnect' });
    this.#server = this.#start(this.#port, false);
    await this.#server.answer<ServerReport>();
    await back;
    return performance.now() - startedMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const browser of this.#browsers) browser.terminate();
    for (const child of [...this.#nodes, this.#server]) await child[Symbol.asyncDispose]();
  }

  async #count(): Promise<Counted> {
    const counts = await this.#askNodes<Counted>({ kind: 'count' });
    const sum = (of: (counted: Counted) => number): number => counts.reduce((total, one) => total + of(one), 0);
    return { open: sum(({ open }) => open), sent: sum(({ sent }) => sent) };
  }

  #askNodes<Answer>(question: NodesQuestion): Promise<Answer[]> {
    return Promise.all(this.#nodes.map((node) => node.ask<Answer>(question)));
  }
}

/** A page that shows the nodes. */
function watch(port: number): WebSocket {
  const socket = new WebSocket(`wss://127.0.0.1:${port}/ws/dashboard`, {
    ...{ rejectUnauthorized: false, headers: { authorization: `Bearer ${token}` } },
  });
  socket.on('error', () => undefined);
  socket.on('open', () => socket.send(JSON.stringify({ subscribe: ['nodes', 'legs'] })));
  socket.resume();
  return socket;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A folder that is gone afterwards. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'adit-bench-manager-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
