import { AppError, errorMessage } from '../../lib/app-error.ts';
import { rfc3339, type Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { nextTurn } from '../../lib/next-turn.ts';
import {
  CONFIG_RESPONSE_DEADLINE_MS,
  MAX_NODE_FRAME_BYTES,
  NODE_ANSWER_DEADLINE_MS,
} from '../../protocol/node/limits.ts';
import { parseLinkAction, type CommandAction } from '../../protocol/node/node-command.ts';
import {
  encodeCommandAck,
  encodeNodeMessage,
  type CommandOutcome,
  type ManagerCommand,
} from '../../protocol/node/node-message.ts';
import { CommandMemory } from './command-memory.ts';
import type { Execution, NodeProgram } from '../node-program.ts';

export interface CommandRunnerDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly program: Pick<NodeProgram, 'execute'>;
  readonly rotateSecret: (newSecret: string) => Promise<CommandOutcome>;
  /** The config as a manager may see it. */
  readonly visibleConfig: () => Promise<unknown>;
}

/** The connection that commands come from and acks go to; calls after its end do nothing. */
export interface CommandSource {
  send(frame: string): void;
  pauseReading(): void;
  resumeReading(): void;
}

interface QueuedCommand {
  readonly command: ManagerCommand;
  readonly size: number;
}

/** Holds for a whole command, whatever its steps. */
interface Deadline {
  readonly atMs: number;
  readonly limitMs: number;
}

/** An ack on its way, or an answer that takes its place. */
type Answer = Promise<string>;

/** Beyond either, the manager is held up until half of it is done. */
const maxQueuedCommands = 2_000;
const maxQueuedChars = 8 * 1024 * 1024;
/** Executed, and waiting for the disk. */
const maxPendingAnswers = 1_000;
/** How long commands may run before other work gets a turn of the event loop. */
const turnMs = 5;

/** Carries out commands one after the other and answers each exactly once, in the order in which they came. */
export class CommandRunner {
  readonly #dependencies: CommandRunnerDependencies;
  readonly #memory: CommandMemory;
  /** Acks of commands that are executed but not stored yet, so that a repeat shares them. */
  readonly #pending = new Map<string, Answer>();
  #queue: QueuedCommand[] = [];
  #queuedChars = 0;
  #source: CommandSource | null = null;
  #running = false;
  #unsent = 0;
  #lastSent: Promise<void> = Promise.resolve();

  constructor(dependencies: CommandRunnerDependencies) {
    this.#dependencies = dependencies;
    this.#memory = new CommandMemory(dependencies.clock);
  }

  /** Commands of an earlier connection that were not begun are dropped: no ack has been sent for them. */
  attach(source: CommandSource): void {
    this.#source = source;
    this.#queue = [];
    this.#queuedChars = 0;
  }

  detach(): void {
    this.#source = null;
    this.#queue = [];
    this.#queuedChars = 0;
  }

  accept(command: ManagerCommand, size: number): void {
    this.#queue.push({ command, size });
    this.#queuedChars += size;
    if (this.#queue.length > maxQueuedCommands || this.#queuedChars > maxQueuedChars) this.#source?.pauseReading();
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    const { clock } = this.#dependencies;
    this.#running = true;
    // Not within the socket's own turn, which may bring hundreds of commands at once.
    await nextTurn();
    let turnEndsMs = clock.monotonicMs() + turnMs;
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      await this.#answer(next);
      if (this.#unsent >= maxPendingAnswers) await this.#lastSent;
      if (clock.monotonicMs() < turnEndsMs) continue;
      await nextTurn();
      turnEndsMs = clock.monotonicMs() + turnMs;
    }
    this.#running = false;
  }

  #take(): ManagerCommand | undefined {
    const next = this.#queue.shift();
    if (next === undefined) return undefined;
    this.#queuedChars -= next.size;
    const relaxed = this.#queue.length < maxQueuedCommands / 2 && this.#queuedChars < maxQueuedChars / 2;
    if (relaxed) this.#source?.resumeReading();
    return next.command;
  }

  /** Resolves when the command is executed; its answer goes out after those of the commands before it. */
  async #answer(command: ManagerCommand): Promise<void> {
    const source = this.#source;
    const answer = await this.#begin(command);
    this.#unsent++;
    this.#lastSent = this.#lastSent
      .then(async () => {
        const frame = await answer.frame;
        source?.send(frame);
      })
      .finally(() => this.#unsent--);
  }

  async #begin({ command_id: id, action }: ManagerCommand): Promise<{ readonly frame: Answer }> {
    if (action?.type === 'get_config') return { frame: this.#configResponse(id) };
    const deadline = this.#deadline(NODE_ANSWER_DEADLINE_MS);
    if (id === null) return { frame: this.#ack(null, action, await this.#execute(action, deadline), deadline) };
    const remembered = this.#memory.recall(id);
    if (remembered !== null) return { frame: Promise.resolve(remembered) };
    const shared = this.#pending.get(id);
    if (shared !== undefined) return { frame: shared };
    const frame = this.#ack(id, action, await this.#execute(action, deadline), deadline);
    this.#pending.set(id, frame);
    void frame.then((ack) => {
      this.#memory.remember(id, ack);
      this.#pending.delete(id);
    });
    return { frame };
  }

  async #execute(action: CommandAction | null, deadline: Deadline): Promise<Execution> {
    if (action === null) return failed({ error: 'Missing action', error_code: 'validation_error' });
    try {
      return await this.#within(deadline, this.#dispatch(action));
    } catch (error) {
      return { outcome: this.#explain(error, action) };
    }
  }

  async #dispatch(action: CommandAction): Promise<Execution> {
    const own = parseLinkAction(action);
    if (own === null) return this.#dependencies.program.execute(action);
    if (own.kind === 'refused') return failed(own);
    return { outcome: await this.#dependencies.rotateSecret(own.action.new_secret) };
  }

  async #ack(id: string | null, action: CommandAction | null, { outcome }: Execution, deadline: Deadline): Answer {
    if (!(outcome instanceof Promise)) return this.#encode(id, outcome);
    try {
      return this.#encode(id, await this.#within(deadline, outcome));
    } catch (error) {
      return this.#encode(id, this.#explain(error, action));
    }
  }

  #explain(error: unknown, action: CommandAction | null): CommandOutcome {
    this.#dependencies.logger.error({ error, command: action?.type }, 'command failed');
    const notStored = error instanceof AppError && error.code === 'io-failed';
    const error_code = notStored ? 'persistence_failed' : 'internal_error';
    return { success: false, error: `Command failed: ${errorMessage(error)}`, error_code };
  }

  #encode(id: string | null, outcome: CommandOutcome): string {
    const frame = encodeCommandAck(id, outcome, this.#timestamp());
    if (frame.length <= MAX_NODE_FRAME_BYTES) return frame;
    const error = `Answer too large: ${frame.length} characters`;
    return encodeCommandAck(id, { success: false, error, error_code: 'internal_error' }, this.#timestamp());
  }

  async #configResponse(id: string | null): Answer {
    try {
      const deadline = this.#deadline(CONFIG_RESPONSE_DEADLINE_MS);
      const config = await this.#within(deadline, this.#dependencies.visibleConfig());
      return encodeNodeMessage('config_response', config, this.#timestamp());
    } catch (error) {
      const text = `Config could not be read: ${errorMessage(error)}`;
      return this.#encode(id, { success: false, error: text, error_code: 'internal_error' });
    }
  }

  #deadline(limitMs: number): Deadline {
    return { atMs: this.#dependencies.clock.monotonicMs() + limitMs, limitMs };
  }

  async #within<T>({ atMs, limitMs }: Deadline, task: Promise<T>): Promise<T> {
    const { clock } = this.#dependencies;
    const { promise, reject } = Promise.withResolvers<never>();
    const error = new Error(`not done within ${limitMs / 1000} s`);
    const timer = clock.setTimeout(() => reject(error), Math.max(0, atMs - clock.monotonicMs()));
    try {
      return await Promise.race([task, promise]);
    } finally {
      timer.cancel();
    }
  }

  #timestamp(): string {
    return rfc3339(this.#dependencies.clock.now());
  }
}

function failed({ error, error_code }: Omit<Extract<CommandOutcome, { success: false }>, 'success'>): Execution {
  return { outcome: { success: false, error, ...(error_code !== undefined && { error_code }) } };
}
