import { createRequire } from 'node:module';
import process from 'node:process';
import { destination, pino, stdTimeFunctions, type Logger as Pino } from 'pino';
import type * as PinoPretty from 'pino-pretty';
import { redactFields } from './redact.ts';

/** From the least important to the most; `silent` is for thresholds only. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export type LogFields = Readonly<Record<string, unknown>>;

/**
 * The message is a constant and what varies goes into fields, so that lines can be searched and counted.
 * Fields named like secrets are never printed (see redact.ts); an Error goes into the field `error`, as text.
 */
export interface Logger {
  /** Per packet or per message. */
  trace(fields: LogFields, message: string): void;
  /** A peer's small deviation, and what explains a decision. */
  debug(fields: LogFields, message: string): void;
  /** A state change that a user sees. */
  info(fields: LogFields, message: string): void;
  /** Would wake someone. */
  warn(fields: LogFields, message: string): void;
  /** Something that was asked for did not happen. */
  error(fields: LogFields, message: string): void;
  /** The program cannot go on. */
  fatal(fields: LogFields, message: string): void;
  /** A logger that adds these fields to each line. */
  child(fields: LogFields): Logger;
}

/** The logger that owns the threshold; its children follow. */
export interface RootLogger extends Logger {
  level(): LogLevel;
  setLevel(level: LogLevel): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `auto`: pretty where standard error is a terminal, JSON lines otherwise. */
  readonly format?: 'auto' | 'pretty' | 'json';
  /** Where lines go; standard error unless given, because standard output belongs to what a command prints. */
  readonly stream?: { write(line: string): unknown };
}

/** Shared by a logger and all its children: pino copies the level to a child, and would not change it there later. */
interface Threshold {
  level: LogLevel;
}

class PinoLogger implements RootLogger {
  readonly #pino: Pino;
  readonly #threshold: Threshold;

  constructor(pinoLogger: Pino, threshold: Threshold) {
    this.#pino = pinoLogger;
    this.#threshold = threshold;
  }

  trace(fields: LogFields, message: string): void {
    this.#write('trace', fields, message);
  }

  debug(fields: LogFields, message: string): void {
    this.#write('debug', fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#write('info', fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#write('warn', fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#write('error', fields, message);
  }

  fatal(fields: LogFields, message: string): void {
    this.#write('fatal', fields, message);
  }

  child(fields: LogFields): Logger {
    return new PinoLogger(this.#pino.child(redactFields(fields)), this.#threshold);
  }

  level(): LogLevel {
    return this.#threshold.level;
  }

  setLevel(level: LogLevel): void {
    this.#threshold.level = level;
  }

  #write(level: Exclude<LogLevel, 'silent'>, fields: LogFields, message: string): void {
    if (logLevels.indexOf(level) < logLevels.indexOf(this.#threshold.level)) return;
    this.#pino[level](redactFields(fields), message);
  }
}

export function createLogger(options: LoggerOptions): RootLogger {
  const { level, format = 'auto' } = options;
  const pretty = format === 'pretty' || (format === 'auto' && process.stderr.isTTY);
  const stream = options.stream ?? destination({ dest: process.stderr.fd, sync: true });
  const prettify = pretty ? prettyLines() : String;
  const pinoLogger = pino(
    {
      level: 'trace',
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => void stream.write(prettify(line)) },
  );
  return new PinoLogger(pinoLogger, { level });
}

/** Loaded where a person looks: a service's log is JSON. */
function prettyLines(): (line: string) => string {
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty;
  return prettyFactory({ colorize: process.stderr.isTTY, translateTime: 'SYS:HH:MM:ss.l' });
}
