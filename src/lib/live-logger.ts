import type { LogFields, Logger } from './logger.ts';

/** A logger whose lines, and those of its children, have fields that may change while it is in use. */
export function liveLogger(logger: Logger, fields: () => LogFields): Logger {
  const at =
    (level: Exclude<keyof Logger, 'child'>) =>
    (given: LogFields, message: string): void =>
      logger[level]({ ...fields(), ...given }, message);
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    child: (more) => liveLogger(logger.child(more), fields),
  };
}
