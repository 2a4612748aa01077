import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { asJsonObject } from '../../lib/json.ts';
import type { EventInbox } from '../events/event-inbox.ts';
import { eventOfNode } from '../events/node-event.ts';
import type { OwnEvents } from '../events/own-events.ts';
import type { Store } from '../store/store.ts';
import type { LiveNode } from './live-node.ts';
import type { NodeFrame } from './node-frame.ts';
import type { SessionRunner } from './session-runner.ts';

/** Called when nodes come, send and go. Must not throw. */
export interface RosterListener {
  joined?(node: LiveNode): void;
  /** Also for one that a newer session of the same node replaces, before that one's `joined`. */
  left?(node: LiveNode): void;
  /** After `left`, once it is stored that the node is gone; not for one that has another session by then. */
  released?(node: LiveNode): void;
  answered?(node: LiveNode, payload: unknown): void;
  configured?(node: LiveNode, payload: unknown): void;
  statsReceived?(node: LiveNode): void;
  /** It has the secret that it was given when it registered. */
  secretConfirmed?(node: LiveNode): void;
}

export interface NodeRosterDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly inbox: EventInbox;
  readonly events: OwnEvents;
  readonly instanceId: () => string;
}

const noteSeenEveryMs = 60_000;
const releaseRetryMs = 1_000;

/** The nodes that are connected to this instance. At most one session of each. */
export class NodeRoster {
  readonly #dependencies: NodeRosterDependencies;
  readonly #maxUncommitted: number;
  readonly #byId = new Map<string, { readonly node: LiveNode; readonly runner: SessionRunner }>();
  readonly #byRunner = new Map<SessionRunner, LiveNode>();
  readonly #listeners = new Set<RosterListener>();
  readonly #notedAtMs = new Map<string, number>();
  readonly #releasing = new Set<Promise<void>>();
  /** Read no more until events of theirs are stored. */
  readonly #paused = new Map<SessionRunner, LiveNode>();
  readonly frames = new Map<string, number>();
  replaced = 0;

  constructor(dependencies: NodeRosterDependencies, maxUncommitted: number) {
    this.#dependencies = dependencies;
    this.#maxUncommitted = maxUncommitted;
  }

  listen(listener: RosterListener): void {
    this.#listeners.add(listener);
  }

  get nodes(): readonly LiveNode[] {
    return [...this.#byId.values()].map(({ node }) => node);
  }

  get(id: string): LiveNode | null {
    return this.#byId.get(id)?.node ?? null;
  }

  /** False when the socket has ended meanwhile. A node that was here already is replaced. */
  enter(runner: SessionRunner, node: LiveNode): boolean {
    const known = this.#byId.get(node.id);
    // Two sockets of one node that were admitted at once: the higher session stays.
    if (known !== undefined && known.node.session > node.session) {
      runner.close(4000, 'replaced');
      return false;
    }
    if (known !== undefined) this.#replace(known.node, known.runner);
    if (!runner.isOpen) {
      void this.#release(node, 'connection lost');
      return false;
    }
    this.#byId.set(node.id, { node, runner });
    this.#byRunner.set(runner, node);
    return true;
  }

  joined(node: LiveNode): void {
    if (this.get(node.id) !== node) return;
    for (const listener of this.#listeners) listener.joined?.(node);
  }

  /** Another instance, or an operator, has ended this session and reports its end. */
  drop(id: string, code: number, reason: string, session?: number): void {
    const known = this.#byId.get(id);
    if (known === undefined || (session !== undefined && known.node.session >= session)) return;
    known.runner.close(code, reason);
  }

  /** Closes nodes that came before `atMs` (monotonic) and whose session is not among these: they may come again. */
  keepOnly(sessions: ReadonlyMap<string, number>, atMs: number): void {
    for (const { node, runner } of [...this.#byId.values()]) {
      const isHeld = sessions.get(node.id) === node.session;
      if (node.connectedAtMs < atMs && !isHeld) runner.close(1012, 'this session is not the node’s newest');
    }
  }

  received(runner: SessionRunner, frame: NodeFrame): void {
    this.frames.set(frame.kind, (this.frames.get(frame.kind) ?? 0) + 1);
    const node = this.#byRunner.get(runner);
    if (node === undefined) return;
    if (frame.kind === 'malformed') {
      this.#dependencies.logger.debug({ node: node.name, reason: frame.reason }, 'a frame was dropped');
      return;
    }
    if (node.issuedSecretId !== null) void this.#confirmSecret(node, node.issuedSecretId);
    if (frame.kind === 'event') this.#event(node, runner, frame);
    else this.#report(node, frame);
  }

  /** A node that goes on after it registered has the secret: it stores it before it sends anything. */
  async #confirmSecret(node: LiveNode, secretId: string): Promise<void> {
    const { clock, store, logger } = this.#dependencies;
    node.issuedSecretId = null;
    try {
      await store.secrets.setState(secretId, 'acknowledged', clock.now());
      this.#notify((listener) => listener.secretConfirmed?.(node));
    } catch (error) {
      // Its next frame says the same.
      node.issuedSecretId = secretId;
      logger.debug({ error, node: node.name }, 'that a node has its secret could not be noted');
    }
  }

  #report(node: LiveNode, frame: Exclude<NodeFrame, { kind: 'event' | 'malformed' }>): void {
    const now = this.#dependencies.clock.now();
    switch (frame.kind) {
      case 'stats':
        node.keepStats(frame.bytes, now);
        this.#notify((listener) => listener.statsReceived?.(node));
        return;
      case 'health':
        node.keepHealth(asJsonObject(frame.payload) ?? {}, now);
        this.#noteSeen(node);
        return;
      case 'command_ack':
        this.#notify((listener) => listener.answered?.(node, frame.payload));
        return;
      case 'config_response':
        this.#notify((listener) => listener.configured?.(node, frame.payload));
        return;
      case 'pong':
      case 'unknown':
        return;
    }
  }

  #notify(notify: (listener: RosterListener) => void): void {
    for (const listener of this.#listeners) notify(listener);
  }

  pinged(runner: SessionRunner, pong: () => void): void {
    const node = this.#byRunner.get(runner);
    if (node === undefined) pong();
    else this.#dependencies.inbox.afterCommit(pong);
  }

  /** Once a second: nodes whose events were stored meanwhile are read again. */
  tick(): void {
    for (const [runner, node] of this.#paused) this.#goOn(runner, node);
  }

  committed(nodeIds: readonly string[]): void {
    for (const id of nodeIds) {
      const known = this.#byId.get(id);
      if (known !== undefined) this.#goOn(known.runner, known.node);
    }
  }

  #goOn(runner: SessionRunner, node: LiveNode): void {
    const { inbox } = this.#dependencies;
    if (!this.#paused.has(runner) || !inbox.hasRoom) return;
    if (inbox.waiting(node.id) >= this.#maxUncommitted / 2) return;
    this.#paused.delete(runner);
    runner.resume();
  }

  async ended(runner: SessionRunner, reason: string): Promise<void> {
    const node = this.#byRunner.get(runner);
    if (node === undefined) return;
    this.#forget(node, runner);
    const released = this.#release(node, reason);
    this.#releasing.add(released);
    await released;
    this.#releasing.delete(released);
  }

  /** Every socket is closed by now or will be: ends all sessions, so that their ends are reported. */
  async stop(): Promise<void> {
    for (const [runner] of this.#byRunner) void this.ended(runner, 'manager stopping');
    await Promise.all(this.#releasing);
  }

  #replace(node: LiveNode, runner: SessionRunner): void {
    this.replaced += 1;
    this.#forget(node, runner);
    runner.close(4000, 'replaced');
  }

  #forget(node: LiveNode, runner: SessionRunner): void {
    this.#byRunner.delete(runner);
    this.#paused.delete(runner);
    if (this.#byId.get(node.id)?.node === node) this.#byId.delete(node.id);
    this.#notedAtMs.delete(node.id);
    for (const listener of this.#listeners) listener.left?.(node);
  }

  /**
   * Ends the session's row; the instance that succeeds reports that the node is gone. Tries until the database answers.
   */
  async #release(node: LiveNode, reason: string): Promise<void> {
    const { store, events, clock, logger } = this.#dependencies;
    for (let tries = 0; ; tries++) {
      try {
        const mine = await store.sessions.release(node.id, node.session);
        if (mine) {
          const secs = Math.round((clock.monotonicMs() - node.connectedAtMs) / 1000);
          events.disconnected(node.id, reason, secs);
          try {
            await store.nodes.change(node.id, this.#seen(node));
          } finally {
            this.#notify((listener) => listener.released?.(node));
          }
        }
        return;
      } catch (error) {
        if (tries === 0) logger.warn({ error, node: node.name }, 'the end of a session cannot be recorded yet');
        if (tries >= 600) return;
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, releaseRetryMs));
      }
    }
  }

  #event(node: LiveNode, runner: SessionRunner, frame: Extract<NodeFrame, { kind: 'event' }>): void {
    const { clock, inbox } = this.#dependencies;
    const event = eventOfNode(node.id, frame.timestamp, frame.payload, clock.now());
    if (event === null) return;
    inbox.put(event);
    if (!inbox.isFull && inbox.waiting(node.id) < this.#maxUncommitted) return;
    this.#paused.set(runner, node);
    runner.pause();
  }

  /** At most once a minute for each node. */
  #noteSeen(node: LiveNode): void {
    const { clock, store, logger } = this.#dependencies;
    const nowMs = clock.monotonicMs();
    if (nowMs - (this.#notedAtMs.get(node.id) ?? -noteSeenEveryMs) < noteSeenEveryMs) return;
    this.#notedAtMs.set(node.id, nowMs);
    const written = store.nodes.change(node.id, this.#seen(node));
    written.catch((error: unknown) => logger.debug({ error }, 'when a node was seen could not be noted'));
  }

  #seen(node: LiveNode): { last_seen_at: number; last_health?: string; capabilities?: string } {
    const health = node.health?.payload;
    const capabilities = health?.['capabilities'];
    return {
      last_seen_at: this.#dependencies.clock.now(),
      ...(health !== undefined && { last_health: JSON.stringify(health) }),
      ...(Array.isArray(capabilities) && { capabilities: JSON.stringify(capabilities) }),
    };
  }
}
