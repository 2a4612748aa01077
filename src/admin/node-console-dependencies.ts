import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { MachineProblem } from '../lib/machine-problem.ts';
import type { LinkStatus } from '../node-link/node-link.ts';
import type { QuicEngine } from '../quic/types.ts';

/** What the consoles of relay and edge need of their program. */
export interface NodeConsoleDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly engine: Pick<QuicEngine, 'report'>;
  readonly softwareVersion: string;
  /** Null without a manager in the config. */
  readonly linkStatus: () => LinkStatus | null;
  /** What was wrong with the machine at the start; nothing unless it is given. */
  readonly machineProblems?: () => readonly MachineProblem[];
  /** Files with secrets that every user of this machine can read now. */
  readonly exposedFiles: () => readonly string[];
}
