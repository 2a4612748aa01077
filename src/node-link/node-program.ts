import type { CommandAction } from '../protocol/node-command.ts';
import type { CommandOutcome } from '../protocol/node-message.ts';

/** What a command came to. Where it also has to reach the disk, the ack waits for `stored` while later commands go on. */
export interface Execution {
  readonly outcome: CommandOutcome;
  /** Resolves when the change is on disk; a rejection turns the ack into a failure. */
  readonly stored?: Promise<void>;
}

/** The program that the link speaks for. */
export interface NodeProgram {
  /** The payload of a `health` message. Must not throw. */
  health(): unknown;
  /** The payload of a `stats` message. Must not throw. */
  stats(): unknown;
  /** Carries out a command that is not the link's own. A rejection is acknowledged as `internal_error` and logged. */
  execute(action: CommandAction): Execution | Promise<Execution>;
  /** The config for `get_config` as one object, or a promise of it; the link takes the secrets out. */
  config(): unknown;
}
