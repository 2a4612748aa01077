import process from 'node:process';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { MachineProblem } from '../../lib/machine-problem.ts';
import { machineProblems, readOpenFileLimit, type SocketBuffers } from './machine-checks.ts';

/** Linux reports twice what was set, since it needs as much again for its own bookkeeping. */
const reportedPerByte = process.platform === 'linux' ? 2 : 1;

/** Looks at the machine once, at the start; warns of what will hurt later, and returns that. */
export async function warnOfMachine(
  { clock, logger }: { readonly clock: Pick<Clock, 'now'>; readonly logger: Logger },
  reported: SocketBuffers | undefined,
): Promise<readonly MachineProblem[]> {
  const socketBuffers = reported && {
    ...reported,
    granted: reported.granted.map((bytes) => (bytes === null ? null : bytes / reportedPerByte)),
  };
  const facts = { nowMs: clock.now(), openFileLimit: await readOpenFileLimit(), socketBuffers };
  const problems = machineProblems(facts);
  for (const { problem, remedy } of problems) logger.warn({ problem, remedy }, 'this machine needs attention');
  return problems;
}
