import type { Logger } from '../../../src/lib/logger.ts';

const ignore = (): void => {};

/** For tests in which the log does not matter. */
export const silentLogger: Logger = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  fatal: ignore,
  child: () => silentLogger,
};
