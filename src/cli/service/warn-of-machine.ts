import process from 'node:process';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { machineProblems, readOpenFileLimit, type SocketBuffers } from './machine-checks.ts';

/** Linux reports twice what was set, since it needs as much again for its own bookkeeping. */
const reportedPerByte = process.platform === 'linux' ? 2 : 1;

/** Looks at the machine once, at the start, and warns of what will hurt later. */
export async function warnOfMachine(
  { clock, logger }: { readonly clock: Pick<Clock, 'now'>; readonly logger: Logger },
  reported: SocketBuffers | undefined,
): Promise<void> {
  const socketBuffers = reported && {
    ...reported,
    granted: reported.granted.map((bytes) => (bytes === null ? null : bytes / reportedPerByte)),
  };
  const facts = { nowMs: clock.now(), openFileLimit: await readOpenFileLimit(), socketBuffers };
  for (const { problem, remedy } of machineProblems(facts)) {
    logger.warn({ problem, remedy }, 'this machine needs attention');
  }
}
