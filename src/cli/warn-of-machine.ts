import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { machineProblems, readOpenFileLimit, type SocketBuffers } from '../lib/machine-checks.ts';

/** Looks at the machine once, at the start, and warns of what will hurt later. */
export async function warnOfMachine(
  { clock, logger }: { readonly clock: Pick<Clock, 'now'>; readonly logger: Logger },
  socketBuffers: SocketBuffers | undefined,
): Promise<void> {
  const facts = { nowMs: clock.now(), openFileLimit: await readOpenFileLimit(), socketBuffers };
  for (const { problem, remedy } of machineProblems(facts)) {
    logger.warn({ problem, remedy }, 'this machine needs attention');
  }
}
