import { errorMessage } from '../../lib/app-error.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { RotatingAppendFile, type AppendFileSettings } from '../../lib/rotating-append-file.ts';

const flushEveryMs = 1_000;
const flushAtBytes = 64 * 1024;
/** While the disk takes nothing, no more than this is kept. */
const keepAtMostBytes = 4 * 1024 * 1024;

/** The export file: lines are gathered and are on disk within a second. A full disk loses lines, which are counted. */
export class TsvFile {
  readonly #logger: Logger;
  #file: RotatingAppendFile;
  #perRecord: boolean;
  readonly #timer: Timer;
  #lines: string[] = [];
  #bytes = 0;
  #failing = false;
  /** Lines that were lost because the disk took none. */
  lost = 0;

  /** Throws the errors of node:fs. */
  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }, settings: AppendFileSettings) {
    this.#logger = logger;
    this.#perRecord = settings.syncEvery > 0;
    this.#file = new RotatingAppendFile(settings);
    this.#timer = clock.setInterval(() => this.flush(), flushEveryMs);
  }

  /**
   * Goes on in a file that is opened anew; lines that wait for room are written there. Throws the errors of node:fs,
   * and keeps the old file then.
   */
  reopen(settings: AppendFileSettings): void {
    this.flush();
    const next = new RotatingAppendFile(settings);
    this.#closeFile();
    this.#file = next;
    this.#perRecord = settings.syncEvery > 0;
  }

  append(line: string): void {
    if (this.#bytes + line.length > keepAtMostBytes) {
      this.lost += 1;
      return;
    }
    this.#lines.push(line);
    this.#bytes += line.length;
    if (this.#perRecord || this.#bytes >= flushAtBytes) this.flush();
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    try {
      if (this.#perRecord) this.#writeEach();
      else this.#file.write(this.#lines.join(''));
      this.#lines = [];
      this.#bytes = 0;
      if (this.#file.isFull()) this.#file.rotate();
      if (this.#failing) this.#logger.info({ lost: this.lost }, 'the export file is written again');
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#logger.warn({ problem: errorMessage(error) }, 'the export file cannot be written');
      this.#failing = true;
    }
  }

  close(): void {
    this.#timer.cancel();
    this.flush();
    this.#closeFile();
  }

  /** What was written before a failure does not wait any longer. */
  #writeEach(): void {
    let done = 0;
    try {
      for (; done < this.#lines.length; done += 1) this.#file.write(this.#lines[done] ?? '');
    } finally {
      for (const line of this.#lines.splice(0, done)) this.#bytes -= line.length;
    }
  }

  #closeFile(): void {
    try {
      this.#file.close();
    } catch (error) {
      // A device, or a disk that failed before: whoever stops the observer must not wait for it.
      if (!this.#failing) this.#logger.warn({ problem: errorMessage(error) }, 'the export file cannot be written');
    }
  }
}
