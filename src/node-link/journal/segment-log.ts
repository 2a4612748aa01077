import { basename, join } from 'node:path';
import { decodeLine, encodeLine, type EventLine, type JournalLine } from './journal-line.ts';
import type { AppendFile, JournalFiles } from './journal-files.ts';

export interface SegmentLogSettings {
  readonly directory: string;
  /** A new file is begun when the current one has reached this. */
  readonly segmentBytes: number;
}

interface Segment {
  readonly path: string;
  /** The lowest sequence number that the file may hold. */
  readonly firstSeq: number;
  bytes: number;
  /** How many of shedOrder are known to be gone from it. */
  shedLevels: number;
}

interface ReadPosition {
  readonly segment: Segment;
  readonly offset: number;
  readonly afterSeq: number;
}

/** What goes first when there is no room: the least important, and of that the oldest. */
const shedOrder = ['info', 'warning', 'critical'] as const;
const fileName = /^events-(\d{15})\.log$/;
/** Longer than any line, so that one read always holds a whole one. */
const readBytes = 128 * 1024;
const lineEnd = 0x0a;

/**
 * Lines in numbered files of one directory: appended at the end, dropped whole at the front. Throws what the files
 * throw.
 */
export class SegmentLog {
  readonly #files: JournalFiles;
  readonly #settings: SegmentLogSettings;
  readonly #segments: Segment[] = [];
  /** Full files that are not safely on disk yet; they stay open until they are. */
  readonly #retired: AppendFile[] = [];
  #current: { readonly segment: Segment; readonly file: AppendFile } | null = null;
  #position: ReadPosition | null = null;
  #ackedSeq = 0;
  #lastSeq = 0;

  constructor(files: JournalFiles, settings: SegmentLogSettings) {
    this.#files = files;
    this.#settings = settings;
  }

  get ackedSeq(): number {
    return this.#ackedSeq;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Finds what an earlier process left; cuts off a line that it could not finish. Returns the last sequence number. */
  open(): number {
    const { directory } = this.#settings;
    this.#files.makeDirectory(directory);
    const firsts = this.#files.list(directory).flatMap((name) => fileName.exec(name)?.[1] ?? []);
    for (const digits of firsts.sort()) {
      const path = join(directory, `events-${digits}.log`);
      this.#segments.push({ path, firstSeq: Number(digits), bytes: this.#files.size(path), shedLevels: 0 });
    }
    const last = this.#segments.at(-1);
    if (last === undefined) {
      this.#begin(1);
      return 0;
    }
    this.#lastSeq = this.#recover(last);
    this.#current = { segment: last, file: this.#files.openForAppend(last.path) };
    this.dropAcked(this.#ackedSeq);
    return this.#lastSeq;
  }

  append(line: JournalLine): void {
    if (line.kind === 'event' && this.#openCurrent(line.seq).segment.bytes >= this.#settings.segmentBytes) {
      this.#begin(line.seq);
    }
    const { segment, file } = this.#openCurrent(line.seq);
    const text = encodeLine(line);
    file.append(text);
    segment.bytes += Buffer.byteLength(text);
    if (line.kind === 'ack') this.#ackedSeq = line.seq;
    else this.#lastSeq = line.seq;
  }

  /**
   * Makes files anew that somebody moved, removed or cut, with what they still hold. Returns how many undelivered
   * events are gone, rather too many than too few; null when every file is as it was left.
   */
  restore(): number | null {
    const { directory } = this.#settings;
    this.#files.makeDirectory(directory);
    const there = new Set(this.#files.list(directory));
    const current = this.#current;
    const spoiled = this.#segments.filter((segment) =>
      segment === current?.segment ? !current.file.isInPlace() : !this.#isWhole(segment, there),
    );
    if (spoiled.length === 0) return null;
    this.#position = null;
    return spoiled.reduce((gone, segment) => gone + this.#restoreSegment(segment, there), 0);
  }

  /** Makes what was appended so far survive a power loss. */
  async sync(): Promise<void> {
    for (let file = this.#retired[0]; file !== undefined; file = this.#retired[0]) {
      await file.sync();
      file.close();
      this.#retired.shift();
    }
    await this.#current?.file.sync();
  }

  /** Removes the files that hold nothing above `seq`. */
  dropAcked(seq: number): void {
    for (;;) {
      const second = this.#segments[1];
      const first = this.#segments[0];
      if (first === undefined || second === undefined || second.firstSeq > seq + 1) return;
      this.#files.remove(first.path);
      this.#segments.shift();
      if (this.#position?.segment === first) this.#position = null;
    }
  }

  /**
   * Drops undelivered events until the files fit into `capBytes`: the oldest info ones, then warnings, then critical
   * ones. The current file is spared. `beforeLoss` is called with each file's victims before they are gone, so that a
   * crash in between counts too many and never too few.
   */
  shed(capBytes: number, beforeLoss: (lost: readonly EventLine[]) => void): void {
    if (this.bytes <= capBytes) return;
    for (const [level, severity] of shedOrder.entries()) {
      for (const segment of this.#segments.slice(0, -1)) {
        if (this.bytes <= capBytes) return;
        if (segment.shedLevels > level) continue;
        this.#shedSegment(segment, severity, beforeLoss);
        segment.shedLevels = level + 1;
      }
    }
  }

  /** Events in order from the first one above `seq`; empty when there is none. */
  readAfter(seq: number, maxCount: number): EventLine[] {
    const found: EventLine[] = [];
    let position = this.#position?.afterSeq === seq ? this.#position : this.#seek(seq);
    while (position !== null && found.length < maxCount) {
      position = this.#readSome(position, maxCount, found) ?? this.#nextSegment(position);
      if (position !== null) this.#position = position;
    }
    return found;
  }

  close(): void {
    for (const file of this.#retired.splice(0)) file.close();
    this.#current?.file.close();
    this.#current = null;
  }

  #openCurrent(seq: number): { readonly segment: Segment; readonly file: AppendFile } {
    return this.#current ?? this.#begin(seq);
  }

  /** The first line repeats how far delivery has come, so that a restart need look at the newest file only. */
  #begin(firstSeq: number): { readonly segment: Segment; readonly file: AppendFile } {
    const path = join(this.#settings.directory, `events-${String(firstSeq).padStart(15, '0')}.log`);
    const file = this.#files.openForAppend(path);
    const segment: Segment = { path, firstSeq, bytes: this.#files.size(path), shedLevels: 0 };
    const head = encodeLine({ kind: 'ack', seq: this.#ackedSeq });
    try {
      file.append(head);
    } catch (error) {
      file.close();
      throw error;
    }
    segment.bytes += head.length;
    if (this.#current !== null) this.#retired.push(this.#current.file);
    this.#segments.push(segment);
    this.#current = { segment, file };
    return this.#current;
  }

  #recover(segment: Segment): number {
    const bytes = this.#files.read(segment.path, 0, segment.bytes);
    const whole = bytes.lastIndexOf(lineEnd) + 1;
    if (whole < bytes.length) this.#files.truncate(segment.path, whole);
    segment.bytes = whole;
    let lastSeq = segment.firstSeq - 1;
    for (const line of decodeLines(bytes.subarray(0, whole))) {
      if (line.kind === 'ack') this.#ackedSeq = Math.max(this.#ackedSeq, line.seq);
      else lastSeq = Math.max(lastSeq, line.seq);
    }
    return Math.max(lastSeq, this.#ackedSeq);
  }

  #isWhole({ path, bytes }: Segment, there: ReadonlySet<string>): boolean {
    return there.has(basename(path)) && this.#files.size(path) >= bytes;
  }

  #restoreSegment(segment: Segment, there: ReadonlySet<string>): number {
    const { path, firstSeq } = segment;
    const next = this.#segments[this.#segments.indexOf(segment) + 1];
    const waiting = (next === undefined ? this.#lastSeq : next.firstSeq - 1) - Math.max(firstSeq - 1, this.#ackedSeq);
    const current = this.#current?.segment === segment ? this.#current : null;
    const bytes =
      current?.file.readAll() ?? (there.has(basename(path)) ? this.#files.read(path, 0, segment.bytes) : null);
    const kept = decodeLines(bytes ?? Buffer.alloc(0)).filter(
      (line): line is EventLine => line.kind === 'event' && line.seq > this.#ackedSeq,
    );
    const text = [{ kind: 'ack', seq: this.#ackedSeq } as const, ...kept].map(encodeLine).join('');
    this.#files.replace(path, text);
    segment.bytes = Buffer.byteLength(text);
    if (current !== null) {
      this.#current = { segment, file: this.#files.openForAppend(path) };
      current.file.close();
    }
    return Math.max(0, waiting - kept.length);
  }

  #shedSegment(segment: Segment, severity: EventLine['severity'], beforeLoss: (lost: EventLine[]) => void): void {
    const lines = decodeLines(this.#files.read(segment.path, 0, segment.bytes));
    const waiting = lines.filter((line): line is EventLine => line.kind === 'event' && line.seq > this.#ackedSeq);
    const lost = waiting.filter((line) => line.severity === severity);
    if (lost.length > 0) beforeLoss(lost);
    const kept = waiting
      .filter((line) => line.severity !== severity)
      .map(encodeLine)
      .join('');
    if (kept === '') {
      this.#files.remove(segment.path);
      this.#segments.splice(this.#segments.indexOf(segment), 1);
    } else {
      this.#files.replace(segment.path, kept);
      segment.bytes = Buffer.byteLength(kept);
    }
    this.#position = null;
  }

  #seek(seq: number): ReadPosition | null {
    const segment = this.#segments.findLast((candidate) => candidate.firstSeq <= seq + 1) ?? this.#segments[0];
    return segment === undefined ? null : { segment, offset: 0, afterSeq: seq };
  }

  /** One read's worth of lines; null at the end of the file. */
  #readSome(from: ReadPosition, maxCount: number, found: EventLine[]): ReadPosition | null {
    const bytes = this.#files.read(from.segment.path, from.offset, readBytes);
    let consumed = 0;
    let { afterSeq } = from;
    while (found.length < maxCount) {
      const end = bytes.indexOf(lineEnd, consumed);
      if (end === -1) break;
      const line = decodeLine(bytes.toString('utf8', consumed, end));
      consumed = end + 1;
      if (line?.kind !== 'event' || line.seq <= afterSeq) continue;
      found.push(line);
      afterSeq = line.seq;
    }
    return consumed === 0 ? null : { segment: from.segment, offset: from.offset + consumed, afterSeq };
  }

  #nextSegment(from: ReadPosition): ReadPosition | null {
    const next = this.#segments[this.#segments.indexOf(from.segment) + 1];
    return next === undefined || next === from.segment ? null : { segment: next, offset: 0, afterSeq: from.afterSeq };
  }
}

/** What is not a whole line is left out: it was torn by a crash or spoiled by the disk. */
function decodeLines(bytes: Buffer): JournalLine[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .flatMap((text) => decodeLine(text) ?? []);
}
