import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { machineProblems, readOpenFileLimit, type MachineFacts } from '../lib/machine-checks.ts';

/** Looks at the machine once, at the start, and warns of what will hurt later. */
export async function warnOfMachine({
  clock,
  logger,
  socketBuffers,
}: {
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
} & Pick<MachineFacts, 'socketBuffers'>): Promise<void> {
  const facts = { nowMs: clock.now(), openFileLimit: await readOpenFileLimit() };
  const problems = machineProblems(socketBuffers === undefined ? facts : { ...facts, socketBuffers });
  for (const { problem, remedy } of problems) logger.warn({ problem, remedy }, 'this machine needs attention');
}
