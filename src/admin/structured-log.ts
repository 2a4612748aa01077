import { hostname } from 'node:os';
import { AppError } from '../lib/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { JsonLogTarget } from '../config/schema-parts.ts';
import { FileTarget } from '../lib/log-target/file-target.ts';
import { LineQueue } from '../lib/log-target/line-queue.ts';
import type { LogTarget } from '../lib/log-target/log-target.ts';
import { createStdoutTarget } from '../lib/log-target/stdout-target.ts';
import { createSyslogTarget } from '../lib/log-target/syslog-target.ts';
import type { Logger } from '../lib/logger.ts';
import { redactFields } from '../lib/redact.ts';
import { parseSocketAddress } from '../lib/socket-address.ts';
import type { NodeEvent } from '../protocol/node/node-event.ts';

/** The program that writes the lines. */
export interface LineSource {
  readonly source: 'relay' | 'edge';
  /** The id that its manager gave it, or what it is called otherwise. */
  readonly id: string;
  readonly softwareVersion: string;
}

const bytesPerMb = 1_000_000;

/** Events as lines of JSON for machines (docs/protocol/manager.md §7). */
export class StructuredLog {
  readonly #queue: LineQueue;
  readonly #format: (event: NodeEvent) => string;

  constructor(queue: LineQueue, format: (event: NodeEvent) => string) {
    this.#queue = queue;
    this.#format = format;
  }

  get dropped(): number {
    return this.#queue.dropped;
  }

  write(event: NodeEvent): void {
    this.#queue.push(this.#format(event));
  }

  /** Idempotent. */
  stop(): Promise<void> {
    return this.#queue.stop();
  }
}

/** Null without a target in the config. */
export function createStructuredLog(
  target: JsonLogTarget | null,
  source: LineSource,
  dependencies: { readonly clock: Clock; readonly logger: Logger },
): StructuredLog | null {
  if (target === null) return null;
  const queue = new LineQueue(openTarget(target, source, dependencies.clock), dependencies.clock, dependencies.logger);
  const host = hostname();
  const shape = shapes[target.format];
  return new StructuredLog(queue, (event) => JSON.stringify(shape(toLine(event, source, host))));
}

type Line = Readonly<Record<string, unknown>>;

/** What collectors of a kind expect of a line. */
const shapes: Readonly<Record<JsonLogTarget['format'], (line: Line) => Line>> = {
  raw: (line) => line,
  splunk: (line) => ({ event: line }),
  dataminer: ({ error_code: parameterId, ...line }) =>
    parameterId === null ? line : { ...line, parameter_id: parameterId },
};

function openTarget(target: JsonLogTarget, { source }: LineSource, clock: Clock): LogTarget {
  switch (target.kind) {
    case 'stdout':
      return createStdoutTarget();
    case 'file':
      return new FileTarget({
        path: target.path,
        maxBytes: target.max_size_mb * bytesPerMb,
        maxBackups: target.max_backups,
      });
    case 'syslog': {
      const address = parseSocketAddress(target.addr);
      if (address === null) throw new AppError('bug', `the config let ${target.addr} through`);
      return createSyslogTarget({ ...address, hostname: hostname(), appName: `adit-${source}` }, clock);
    }
  }
}

/** `level` stands early: the syslog target reads the severity from there. */
function toLine(event: NodeEvent, { source, id, softwareVersion }: LineSource, host: string): Line {
  const { error_code: errorCode = null, ...details } = redactFields(event.details ?? {});
  return {
    ts: event.timestamp,
    level: event.severity,
    host,
    software_version: softwareVersion,
    source,
    [`${source}_id`]: id,
    flow_id: event.flowId ?? null,
    category: event.category,
    error_code: errorCode,
    message: event.message,
    details,
  };
}
