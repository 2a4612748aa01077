import { join } from 'node:path';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import { rfc3339, type Clock, type Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import { encodeEvent, type NodeEvent } from '../../protocol/node/node-event.ts';
import type { EventLine } from './journal-line.ts';
import type { JournalFiles } from './journal-files.ts';
import { LossRecord, type LossReport } from './loss-record.ts';
import { SegmentLog } from './segment-log.ts';

export interface EventJournalDependencies {
  readonly files: JournalFiles;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface EventJournalSettings {
  readonly directory: string;
  /** Undelivered events take at most about this much of the disk. */
  readonly capBytes: number;
}

export const defaultJournalCapBytes = 256 * 1024 * 1024;

/** Small enough that rewriting one, when the journal is full, does not hold up the event loop. */
const maxSegmentBytes = 1024 * 1024;
const segmentsAtLeast = 8;
const syncIntervalMs = 1_000;
/** Must stay below what one read of a segment covers. */
const maxFrameChars = 30_000;
/** What is kept in memory to save reading back what was just written. */
const maxTailEvents = 1_000;
const maxTailChars = 1024 * 1024;
/** While the disk takes nothing, memory holds so many events; beyond it they are lost, and counted. */
const maxUnwrittenEvents = 10_000;
const lossFile = 'lost.json';

/**
 * The node's undelivered events. They are on disk from the moment they are raised until a manager acknowledges them.
 * A kill -9 loses none, a power loss those of the last second. While the disk fails, the newest events wait in memory
 * and are written later; callers do not wait.
 */
export class EventJournal {
  readonly #dependencies: EventJournalDependencies;
  readonly #settings: EventJournalSettings;
  readonly #log: SegmentLog;
  readonly #losses: LossRecord;
  /** The newest events in order, written or not; everything before `#tailFrom` is only on disk. */
  #tail: EventLine[] = [];
  #tailChars = 0;
  #tailFrom = 1;
  #lastSeq = 0;
  #writtenSeq = 0;
  #ackedSeq = 0;
  #unsynced = false;
  #problem: string | null = null;
  #timer: Timer | null = null;
  #syncing: Promise<void> = Promise.resolve();

  constructor(dependencies: EventJournalDependencies, settings: EventJournalSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    const segmentBytes = Math.min(maxSegmentBytes, Math.floor(settings.capBytes / segmentsAtLeast));
    this.#log = new SegmentLog(dependencies.files, { directory: settings.directory, segmentBytes });
    this.#losses = new LossRecord(dependencies.files, join(settings.directory, lossFile));
  }

  /** What keeps events from reaching the disk, in words; null when nothing does. */
  get problem(): string | null {
    return this.#problem;
  }

  get ackedSeq(): number {
    return this.#ackedSeq;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Events that were dropped undelivered and that no manager knows of. */
  get loss(): LossReport | null {
    return this.#losses.report;
  }

  /** Finds the events of earlier processes. Throws an AppError `io-failed` when the directory cannot be used. */
  open(): void {
    const { files, clock } = this.#dependencies;
    const { directory } = this.#settings;
    try {
      this.#lastSeq = this.#log.open();
      this.#losses.open(files.list(directory).includes(lossFile));
    } catch (error) {
      throw new AppError('io-failed', `cannot keep events in ${directory}`, { cause: error });
    }
    this.#writtenSeq = this.#lastSeq;
    this.#ackedSeq = this.#log.ackedSeq;
    this.#tailFrom = this.#lastSeq + 1;
    this.#timer = clock.setInterval(() => this.#everySecond(), syncIntervalMs);
  }

  /** Gives the event its id and writes it before it returns. Never throws for the disk's sake. */
  append(event: NodeEvent): void {
    this.#lastSeq++;
    const line: EventLine = {
      kind: 'event',
      seq: this.#lastSeq,
      severity: event.severity,
      frame: encodeWithId(event, this.#newId()),
    };
    this.#tail.push(line);
    this.#tailChars += line.frame.length;
    if (this.#problem === null) this.#write();
    this.#trimTail();
  }

  /** At most `maxCount` events above `seq`, in order. Throws an AppError `io-failed` when the disk cannot be read. */
  readAfter(seq: number, maxCount: number): readonly EventLine[] {
    if (seq >= this.#lastSeq) return [];
    if (seq + 1 < this.#tailFrom) {
      const stored = this.#readStored(seq, maxCount);
      if (stored.length > 0) return stored;
    }
    const from = this.#tail.findIndex((line) => line.seq > seq);
    return from === -1 ? [] : this.#tail.slice(from, from + maxCount);
  }

  /** The manager has every event up to `seq`. */
  ack(seq: number): void {
    if (seq <= this.#ackedSeq) return;
    this.#ackedSeq = seq;
    if (this.#problem === null) this.#write();
  }

  /** The manager will learn of this loss; one that has grown since, or that is not safely delivered, stays. */
  forgetLoss(reported: LossReport): void {
    if (this.#problem === null && this.#losses.report === reported) this.#attempt(() => this.#losses.clear());
  }

  async close(): Promise<void> {
    if (this.#timer === null) return;
    this.#timer.cancel();
    this.#timer = null;
    this.#write();
    if (this.#problem === null) this.#attempt(() => this.#restore());
    await this.#sync();
    this.#log.close();
  }

  /** Brings the files up to date with memory: the events that are not written yet, then how far delivery has come. */
  #write(): void {
    this.#attempt(() => {
      for (const line of this.#unwritten()) {
        this.#log.append(line);
        this.#writtenSeq = line.seq;
        this.#unsynced = true;
      }
      if (this.#log.ackedSeq < this.#ackedSeq) {
        this.#log.append({ kind: 'ack', seq: this.#ackedSeq });
        this.#log.dropAcked(this.#ackedSeq);
      }
      this.#losses.save();
      this.#log.shed(this.#settings.capBytes, (lost) => {
        this.#losses.add(lost);
        this.#losses.save();
        const lostSeqs = new Set(lost.map((line) => line.seq));
        this.#setTail(this.#tail.filter((line) => !lostSeqs.has(line.seq)));
      });
    });
  }

  #unwritten(): readonly EventLine[] {
    if (this.#tail.at(-1)?.seq === this.#writtenSeq) return [];
    return this.#tail.slice(this.#tail.findLastIndex((line) => line.seq <= this.#writtenSeq) + 1);
  }

  #attempt(task: () => void): void {
    try {
      task();
      if (this.#problem !== null) this.#dependencies.logger.info({}, 'event journal works again');
      this.#problem = null;
    } catch (error) {
      const problem = errorMessage(error);
      if (problem !== this.#problem) this.#dependencies.logger.error({ error }, 'event journal cannot be written');
      this.#problem = problem;
    }
  }

  #readStored(seq: number, maxCount: number): readonly EventLine[] {
    try {
      return this.#log.readAfter(seq, maxCount).filter((line) => line.seq < this.#tailFrom);
    } catch (error) {
      throw new AppError('io-failed', `cannot read events in ${this.#settings.directory}`, { cause: error });
    }
  }

  #trimTail(): void {
    const unwritten = this.#lastSeq - this.#writtenSeq;
    if (unwritten > maxUnwrittenEvents) this.#dropUnwritten();
    if (this.#tail.length <= maxTailEvents && this.#tailChars <= maxTailChars) return;
    const oldest = this.#tail[0];
    if (oldest === undefined || oldest.seq > this.#writtenSeq) return;
    // Half of it at once, so that this costs little per event.
    const droppable = this.#tail.slice(0, Math.ceil(this.#tail.length / 2));
    const dropped = droppable.filter((line) => line.seq <= this.#writtenSeq);
    const last = dropped.at(-1);
    if (last === undefined) return;
    this.#setTail(this.#tail.slice(dropped.length));
    this.#tailFrom = last.seq + 1;
  }

  #setTail(tail: EventLine[]): void {
    this.#tail = tail;
    this.#tailChars = tail.reduce((sum, line) => sum + line.frame.length, 0);
  }

  #dropUnwritten(): void {
    const unwritten = this.#unwritten();
    if (unwritten.length <= maxUnwrittenEvents) return;
    const victim = unwritten.find((line) => line.severity === 'info') ?? unwritten[0];
    if (victim === undefined) return;
    this.#tail.splice(this.#tail.indexOf(victim), 1);
    this.#tailChars -= victim.frame.length;
    this.#losses.add([victim]);
  }

  /** Others may have handled the files: a person who makes room, a logrotate that was set too wide. */
  #restore(): void {
    const { clock, logger } = this.#dependencies;
    const lost = this.#log.restore();
    if (lost === null) return;
    logger.warn({ lost }, 'event journal files made anew');
    this.#losses.addUnknown(lost, rfc3339(clock.now()));
    this.#losses.save();
  }

  #everySecond(): void {
    if (this.#problem === null) this.#attempt(() => this.#restore());
    else this.#write();
    this.#syncing = this.#sync();
  }

  async #sync(): Promise<void> {
    await this.#syncing;
    if (!this.#unsynced) return;
    this.#unsynced = false;
    try {
      await this.#log.sync();
    } catch (error) {
      this.#unsynced = true;
      this.#dependencies.logger.error({ error }, 'event journal cannot be synced to disk');
    }
  }

  #newId(): string {
    return Buffer.from(this.#dependencies.random.bytes(16)).toString('hex');
  }
}

/** Details are free-form, and the only part of an event that could be huge; what happened matters more than they. */
function encodeWithId(event: NodeEvent, eventId: string): string {
  const frame = encodeEvent({ ...event, details: { ...event.details, event_id: eventId } });
  if (frame.length <= maxFrameChars) return frame;
  const message = event.message.slice(0, maxFrameChars / 10);
  return encodeEvent({ ...event, message, details: { event_id: eventId, truncated: true } });
}
