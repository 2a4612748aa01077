import type { Logger } from '../lib/logger.ts';

/** Below this, a few agents that beat at one instant fill the queue. */
const comfortableQueue = 64;

/** Warns where fewer beats can wait in the socket than there may be agents. */
export function warnOfShortQueue(queueLength: number, capacity: number, logger: Logger): void {
  if (queueLength >= comfortableQueue || queueLength >= capacity) return;
  logger.warn(
    { queue: queueLength, remedy: 'sysctl -w net.unix.max_dgram_qlen=512' },
    'few beats can wait in the socket: of agents that beat at one instant some are refused',
  );
}
