import process from 'node:process';
import type { Logger } from '../../lib/logger.ts';

/**
 * A bug that nothing caught becomes one log line, then the process ends with status 70, so that its supervisor starts a
 * sound one.
 */
export function installCrashGuard(logger: Logger): void {
  const crash = (error: unknown): void => {
    logger.fatal({ error }, 'unexpected error, ending');
    process.exit(70);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}
