import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { MAX_NODE_FRAME_BYTES } from '../../protocol/node/limits.ts';
import type { HubAdmission } from './hub-admission.ts';
import type { NodeRoster } from './node-roster.ts';
import { limitUnauthenticated } from './limit-unauthenticated.ts';
import { remoteBlock } from './remote-block.ts';
import { SessionRunner, type SessionOwner } from './session-runner.ts';

export interface NodeHubDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly admission: HubAdmission;
  readonly roster: NodeRoster;
}

export interface NodeHubSettings {
  readonly maxUnauthenticated: number;
  readonly maxUnauthenticatedPerAddress: number;
  readonly maxBufferedBytes: number;
  /** Proxies in front whose X-Forwarded-For is trusted. */
  readonly trustedHops: number;
}

interface Unauthenticated {
  /** The address block that it counts for. */
  readonly block: string;
  /** Called once it is authenticated. */
  readonly liftLimit: () => void;
}

const tickMs = 1_000;

/** Takes sockets of nodes on `/ws/node`, authenticates them, and serves them until they end. */
export class NodeHub {
  readonly #dependencies: NodeHubDependencies;
  readonly #settings: NodeHubSettings;
  readonly #acceptor = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_NODE_FRAME_BYTES,
    autoPong: false,
    clientTracking: false,
  });
  readonly #owner: SessionOwner;
  readonly #runners = new Set<SessionRunner>();
  readonly #unauthenticated = new Map<SessionRunner, Unauthenticated>();
  #timer: Timer | null = null;
  #stopping = false;
  #turnedAway = false;

  constructor(dependencies: NodeHubDependencies, settings: NodeHubSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    const { admission, roster } = dependencies;
    this.#owner = {
      authenticate: (runner, request) => void this.#settle(runner, admission.admit(runner, request)),
      received: (runner, frame) => roster.received(runner, frame),
      pinged: (runner, pong) => roster.pinged(runner, pong),
      refused: (runner, reason) => this.#refused(runner, reason),
      ended: (runner, reason) => this.#ended(runner, reason),
    };
  }

  start(): void {
    const { clock, roster } = this.#dependencies;
    this.#timer = clock.setInterval(() => {
      const nowMs = clock.monotonicMs();
      for (const runner of this.#runners) runner.tick(nowMs);
      roster.tick();
    }, tickMs);
  }

  /** Closes every socket with 1012, so that nodes go to the next address of their list at once. */
  stop(): void {
    this.#stopping = true;
    this.#timer?.cancel();
    for (const runner of this.#runners) runner.close(1012, 'manager stopping');
  }

  /** Sends all nodes to another address of their lists (1012), and lets none in, until it is called with false. */
  turnAway(away: boolean): void {
    this.#turnedAway = away;
    if (!away) return;
    for (const runner of this.#runners) runner.close(1012, 'this manager has lost its database');
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const address = this.#addressOf(request);
    if (this.#stopping || this.#turnedAway || !this.#hasRoom(address)) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    this.#acceptor.handleUpgrade(request, socket, head, (webSocket) => this.#opened(webSocket, socket, address));
  }

  #opened(webSocket: WebSocket, socket: Duplex, address: string): void {
    const { clock } = this.#dependencies;
    const { maxBufferedBytes } = this.#settings;
    const parts = { clock, owner: this.#owner };
    const runner = new SessionRunner(webSocket, parts, { remoteAddr: address, maxBufferedBytes });
    this.#runners.add(runner);
    const liftLimit = limitUnauthenticated(socket, () => runner.isAuthenticated);
    this.#unauthenticated.set(runner, { block: remoteBlock(address), liftLimit });
  }

  async #settle(runner: SessionRunner, admitted: Promise<void>): Promise<void> {
    try {
      await admitted;
    } catch (error) {
      this.#dependencies.logger.warn({ error }, 'a node could not be admitted, it will come again');
      runner.unavailable();
    }
    if (!runner.isAuthenticated) return;
    this.#unauthenticated.get(runner)?.liftLimit();
    this.#unauthenticated.delete(runner);
  }

  #refused(runner: SessionRunner, reason: string): void {
    this.#dependencies.logger.info({ remote_addr: runner.remoteAddr, reason }, 'node refused');
    this.#dependencies.admission.countRefusal(reason);
  }

  #ended(runner: SessionRunner, reason: string): void {
    this.#runners.delete(runner);
    this.#unauthenticated.delete(runner);
    void this.#dependencies.roster.ended(runner, reason);
  }

  #hasRoom(address: string): boolean {
    const { maxUnauthenticated, maxUnauthenticatedPerAddress } = this.#settings;
    if (this.#unauthenticated.size >= maxUnauthenticated) return false;
    const block = remoteBlock(address);
    let same = 0;
    for (const other of this.#unauthenticated.values()) if (other.block === block) same += 1;
    return same < maxUnauthenticatedPerAddress;
  }

  /** ip:port, or the address that the trusted proxies saw. */
  #addressOf(request: IncomingMessage): string {
    const { remoteAddress = '', remotePort = 0 } = request.socket;
    const { trustedHops } = this.#settings;
    const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
    const seen = trustedHops > 0 ? forwarded.at(-trustedHops)?.trim() : undefined;
    if (seen !== undefined && seen !== '') return seen;
    return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
  }
}
