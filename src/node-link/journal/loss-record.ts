import { z } from 'zod';
import { parseEvent } from '../../protocol/node/node-event.ts';
import { parseJson } from '../../lib/json.ts';
import type { EventLine } from './journal-line.ts';
import type { JournalFiles } from './journal-files.ts';

const reportSchema = z.object({
  /** By `category/severity`; `unknown` for those that went with a file that others removed. */
  counts: z.record(z.string(), z.number()),
  firstTimestamp: z.string(),
  lastTimestamp: z.string(),
});

/** Which events were dropped undelivered, and the time they span. */
export type LossReport = Readonly<z.output<typeof reportSchema>>;

/** Longer than any report: there are few categories and severities. */
const maxReportBytes = 64 * 1024;

/** Keeps count of dropped events in a file, until one event can report it to the manager. */
export class LossRecord {
  readonly #files: JournalFiles;
  readonly #path: string;
  #report: LossReport | null = null;
  #saved = true;

  constructor(files: JournalFiles, path: string) {
    this.#files = files;
    this.#path = path;
  }

  get report(): LossReport | null {
    return this.#report;
  }

  /** Reads what an earlier process counted; a file that is not whole counts as none. */
  open(existing: boolean): void {
    if (!existing) return;
    const parsed = reportSchema.safeParse(parseJson(this.#files.read(this.#path, 0, maxReportBytes)));
    this.#report = parsed.success ? parsed.data : null;
  }

  add(lost: readonly EventLine[]): void {
    for (const line of lost) this.#report = addLine(this.#report, line);
    this.#saved = false;
  }

  addUnknown(count: number, timestamp: string): void {
    if (count === 0) return;
    const report = this.#report;
    const counts = { ...report?.counts, unknown: (report?.counts['unknown'] ?? 0) + count };
    this.#report = { counts, firstTimestamp: report?.firstTimestamp ?? timestamp, lastTimestamp: timestamp };
    this.#saved = false;
  }

  /** Throws what writing the file throws. */
  save(): void {
    if (this.#saved) return;
    this.#files.replace(this.#path, JSON.stringify(this.#report));
    this.#saved = true;
  }

  clear(): void {
    this.#report = null;
    this.#saved = true;
    this.#files.remove(this.#path);
  }
}

function addLine(report: LossReport | null, line: EventLine): LossReport | null {
  const event = parseEvent(line.frame);
  if (event === null) return report;
  const { timestamp } = event;
  const kind = `${event.category}/${event.severity}`;
  const counts = { ...report?.counts, [kind]: (report?.counts[kind] ?? 0) + 1 };
  return { counts, firstTimestamp: report?.firstTimestamp ?? timestamp, lastTimestamp: timestamp };
}
