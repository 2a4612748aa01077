import type { CommandAction } from '../protocol/node/node-command.ts';
import type { CommandOutcome } from '../protocol/node/node-message.ts';

/** A command that has taken effect. Where its ack has to wait, for the disk, later commands go on meanwhile. */
export interface Execution {
  readonly outcome: CommandOutcome | Promise<CommandOutcome>;
}

/** The program that the link speaks for. */
export interface NodeProgram {
  /** The payload of a `health` message. Must not throw. */
  health(): unknown;
  /** The payload of a `stats` message, or a promise of it where gathering it takes several turns. Must not throw. */
  stats(): unknown;
  /**
   * Carries out a command that is not the link's own; the next one begins when this has returned or resolved. What is
   * thrown or rejected, also by the outcome, is logged and acknowledged as `persistence_failed` when it is an AppError
   * `io-failed`, as `internal_error` otherwise.
   */
  execute(action: CommandAction): Execution | Promise<Execution>;
  /** The config for `get_config` as one object, or a promise of it; the link takes the secrets out. */
  config(): unknown;
}
