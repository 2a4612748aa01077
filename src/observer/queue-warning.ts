import type { Logger } from '../lib/logger.ts';
import { queueLength } from './beats/beat-socket.ts';
import type { ObserverConfig } from './config/observer-config.ts';

/** Below this, a few agents that beat at one instant fill the queue. */
const comfortableQueue = 64;

/** Warns where fewer beats can wait in the socket than there may be agents. */
export async function warnOfShortQueue(
  { tracker_capacity: capacity }: Pick<ObserverConfig, 'tracker_capacity'>,
  logger: Logger,
): Promise<void> {
  const length = await queueLength();
  if (length === null || length >= comfortableQueue || length >= capacity) return;
  logger.warn(
    { queue: length, remedy: 'sysctl -w net.unix.max_dgram_qlen=512' },
    'few beats can wait in the socket: of agents that beat at one instant some are refused',
  );
}
