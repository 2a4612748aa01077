import { randomUUID } from 'node:crypto';
import { rfc3339, type Clock, type Timer } from '../../lib/clock.ts';
import { asJsonObject } from '../../lib/json.ts';
import { NODE_ANSWER_DEADLINE_MS } from '../../protocol/node/limits.ts';
import type { CommandAction } from '../../protocol/node/node-command.ts';
import type { LiveNode } from '../hub/live-node.ts';

export type CommandResult =
  | { readonly kind: 'done'; readonly data: unknown }
  | { readonly kind: 'refused'; readonly error: string; readonly errorCode: string | null }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'disconnected' };

export interface CommandDeskSettings {
  readonly perEdge: number;
  readonly perRelay: number;
  readonly total: number;
}

interface Waiter {
  readonly node: LiveNode;
  readonly isConfig: boolean;
  readonly timer: Timer;
  resolve(result: CommandResult): void;
}

interface Queued {
  readonly node: LiveNode;
  readonly start: () => void;
  readonly isConfig: boolean;
  readonly leave: () => void;
}

export const timedOutText = 'Command timed out waiting for node response (10s)';
export const disconnectedText = 'Node disconnected';

/** Sends commands to nodes of this instance and returns the one acknowledgement of each. */
export class CommandDesk {
  readonly #clock: Clock;
  readonly #settings: CommandDeskSettings;
  readonly #waiting = new Map<string, Waiter>();
  readonly #perNode = new Map<LiveNode, number>();
  readonly #askingConfig = new Set<LiveNode>();
  /** In the order in which they came. */
  readonly #queue = new Set<Queued>();
  readonly results = new Map<string, number>();

  constructor(clock: Clock, settings: CommandDeskSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  get unanswered(): number {
    return this.#waiting.size;
  }

  /** Waits its turn, then 10 s for the answer. Never rejects. */
  async send(node: LiveNode, action: CommandAction, commandId: string = randomUUID()): Promise<CommandResult> {
    const { promise, resolve } = Promise.withResolvers<CommandResult>();
    const isConfig = action.type === 'get_config';
    const start = (): void => this.#start(node, action, commandId, isConfig, resolve);
    this.#queue.add({ node, start, isConfig, leave: () => resolve({ kind: 'disconnected' }) });
    this.#next();
    const result = await promise;
    const label = `${action.type} ${result.kind}`;
    this.results.set(label, (this.results.get(label) ?? 0) + 1);
    return result;
  }

  /** An ack without a waiting command (late, twice, or of another command) changes nothing. */
  answered(node: LiveNode, payload: unknown): void {
    const fields = asJsonObject(payload);
    const id = fields?.['command_id'];
    const waiter = typeof id === 'string' ? this.#waiting.get(id) : undefined;
    if (fields === null || typeof id !== 'string' || waiter?.node !== node) return;
    if (fields['success'] === true) this.#finish(id, { kind: 'done', data: fields['data'] ?? null });
    else {
      const { error, error_code: code } = fields;
      const text = typeof error === 'string' && error !== '' ? error.slice(0, 2000) : 'the node gave no reason';
      this.#finish(id, {
        kind: 'refused',
        error: text,
        errorCode: typeof code === 'string' ? code.slice(0, 100) : null,
      });
    }
  }

  configured(node: LiveNode, payload: unknown): void {
    for (const [id, waiter] of this.#waiting) {
      if (waiter.node !== node || !waiter.isConfig) continue;
      this.#finish(id, { kind: 'done', data: payload });
      return;
    }
  }

  /** Ends the waiting for this node at once. */
  left(node: LiveNode): void {
    for (const entry of this.#queue) {
      if (entry.node !== node) continue;
      this.#queue.delete(entry);
      entry.leave();
    }
    for (const [id, waiter] of this.#waiting) if (waiter.node === node) this.#finish(id, { kind: 'disconnected' });
  }

  #start(
    node: LiveNode,
    action: CommandAction,
    commandId: string,
    isConfig: boolean,
    resolve: (result: CommandResult) => void,
  ): void {
    const timer = this.#clock.setTimeout(() => this.#finish(commandId, { kind: 'timed-out' }), NODE_ANSWER_DEADLINE_MS);
    // The waiter first: the answer may come before `send` returns.
    this.#waiting.set(commandId, { node, isConfig, timer, resolve });
    this.#perNode.set(node, (this.#perNode.get(node) ?? 0) + 1);
    if (isConfig) this.#askingConfig.add(node);
    const payload = { command_id: commandId, action };
    node.send(JSON.stringify({ type: 'command', timestamp: rfc3339(this.#clock.now()), payload }));
  }

  #finish(id: string, result: CommandResult): void {
    const waiter = this.#waiting.get(id);
    if (waiter === undefined) return;
    this.#waiting.delete(id);
    waiter.timer.cancel();
    const left = (this.#perNode.get(waiter.node) ?? 1) - 1;
    if (left > 0) this.#perNode.set(waiter.node, left);
    else this.#perNode.delete(waiter.node);
    if (waiter.isConfig) this.#askingConfig.delete(waiter.node);
    waiter.resolve(result);
    this.#next();
  }

  #next(): void {
    for (const entry of this.#queue) {
      // A whole fleet may wait: it is not searched while no command can go.
      if (this.#waiting.size >= this.#settings.total) return;
      if (!this.#hasRoom(entry)) continue;
      this.#queue.delete(entry);
      entry.start();
    }
  }

  #hasRoom({ node, isConfig }: Queued): boolean {
    const { perEdge, perRelay } = this.#settings;
    if (isConfig && this.#askingConfig.has(node)) return false;
    return (this.#perNode.get(node) ?? 0) < (node.kind === 'relay' ? perRelay : perEdge);
  }
}
