import type { LogFields, Logger, LogLevel } from '../../../src/lib/logger.ts';

export interface RecordedLine {
  readonly level: LogLevel;
  readonly fields: LogFields;
  readonly message: string;
}

/** For tests of what is logged: keeps every line, those of its children with the child's fields. */
export class RecordingLogger implements Logger {
  readonly lines: RecordedLine[];
  readonly #fields: LogFields;

  constructor(lines: RecordedLine[] = [], fields: LogFields = {}) {
    this.lines = lines;
    this.#fields = fields;
  }

  readonly trace = this.#at('trace');
  readonly debug = this.#at('debug');
  readonly info = this.#at('info');
  readonly warn = this.#at('warn');
  readonly error = this.#at('error');
  readonly fatal = this.#at('fatal');

  child(fields: LogFields): Logger {
    return new RecordingLogger(this.lines, { ...this.#fields, ...fields });
  }

  messages(level: LogLevel): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }

  #at(level: LogLevel): (fields: LogFields, message: string) => void {
    return (fields, message) => {
      this.lines.push({ level, fields: { ...this.#fields, ...fields }, message });
    };
  }
}
