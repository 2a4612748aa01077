import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventJournal } from '../../../../src/node-link/journal/event-journal.ts';
import { realJournalFiles, type JournalFiles } from '../../../../src/node-link/journal/journal-files.ts';
import { parseEvent, type EventSeverity } from '../../../../src/protocol/node/node-event.ts';
import { FailingJournalFiles } from '../../../support/fakes/failing-journal-files.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

const timestamp = '2026-04-02T12:00:00.000Z';
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'adit-journal-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function open(options: { capBytes?: number; files?: JournalFiles; seed?: number } = {}) {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const random = new SeededRandom(options.seed);
  const journal = new EventJournal(
    { files: options.files ?? realJournalFiles, clock, random, logger },
    { directory, capBytes: options.capBytes ?? 1024 * 1024 },
  );
  journal.open();
  return { journal, clock, logger };
}

function raise(journal: EventJournal, message: string, severity: EventSeverity = 'info'): void {
  journal.append({ timestamp, severity, category: 'edge', message });
}

function readAll(journal: EventJournal): { message: string; id: unknown }[] {
  const all: { message: string; id: unknown }[] = [];
  let seq = journal.ackedSeq;
  for (;;) {
    const lines = journal.readAfter(seq, 7);
    if (lines.length === 0) return all;
    for (const line of lines) {
      const event = parseEvent(line.frame);
      all.push({ message: event?.message ?? '', id: event?.details?.['event_id'] });
      seq = line.seq;
    }
  }
}

const messages = (journal: EventJournal) => readAll(journal).map(({ message }) => message);
const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `event ${from + index}`);
const logFiles = () =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort();

describe('the event journal', () => {
  it('has every event on disk when it is raised: another process finds them all, with the same ids', () => {
    const { journal } = open();
    for (const message of numbered(50)) raise(journal, message);
    const ids = readAll(journal);
    expect(new Set(ids.map(({ id }) => id)).size).toBe(50);
    // Not closed: this is what kill -9 leaves.
    expect(readAll(open({ seed: 2 }).journal)).toEqual(ids);
  });

  it('goes on after what an earlier process left, in order', () => {
    const first = open();
    for (const message of numbered(10)) raise(first.journal, message);
    const second = open({ seed: 2 });
    for (const message of numbered(10, 10)) raise(second.journal, message);
    expect(messages(second.journal)).toEqual(numbered(20));
  });

  it('forgets what is acknowledged, also across a restart', () => {
    const first = open();
    for (const message of numbered(10)) raise(first.journal, message);
    first.journal.ack(6);
    expect(messages(first.journal)).toEqual(numbered(4, 6));
    const second = open({ seed: 2 });
    expect(messages(second.journal)).toEqual(numbered(4, 6));
    second.journal.ack(10);
    expect(messages(open({ seed: 3 }).journal)).toEqual([]);
  });

  it.each([1, 9, 40])('cuts off a line that a crash tore after %i bytes', (length) => {
    const { journal } = open();
    for (const message of numbered(3)) raise(journal, message);
    const path = join(directory, logFiles().at(-1) ?? '');
    const line = readFileSync(path, 'utf8').split('\n').at(-2) ?? '';
    appendFileSync(path, line.slice(0, length));
    const second = open({ seed: 2 });
    raise(second.journal, 'after');
    expect(messages(second.journal)).toEqual([...numbered(3), 'after']);
    expect(messages(open({ seed: 3 }).journal)).toEqual([...numbered(3), 'after']);
  });

  it('passes over a line that the disk spoiled', () => {
    const { journal } = open();
    for (const message of numbered(3)) raise(journal, message);
    const path = join(directory, logFiles()[0] ?? '');
    writeFileSync(path, readFileSync(path, 'utf8').replace('event 1', 'event X'));
    expect(messages(open({ seed: 2 }).journal)).toEqual(['event 0', 'event 2']);
  });

  it('uses several files, reads across them, and removes those that are delivered', () => {
    const { journal } = open({ capBytes: 80_000 });
    for (const message of numbered(150)) raise(journal, message);
    expect(logFiles().length).toBeGreaterThan(2);
    const second = open({ capBytes: 80_000, seed: 2 }).journal;
    expect(messages(second)).toEqual(numbered(150));
    second.ack(150);
    expect(logFiles()).toHaveLength(1);
    raise(second, 'last');
    expect(messages(open({ seed: 3 }).journal)).toEqual(['last']);
  });

  it('keeps little in memory but reads everything', () => {
    const { journal } = open({ capBytes: 64 * 1024 * 1024 });
    for (const message of numbered(5_000)) raise(journal, message);
    expect(messages(journal)).toEqual(numbered(5_000));
  });

  it('shortens an event that is too large for one line, and keeps what happened', () => {
    const { journal } = open();
    const details = { reason: 'x'.repeat(100_000) };
    journal.append({ timestamp, severity: 'warning', category: 'edge', message: 'big', details });
    raise(journal, 'next');
    const [line] = open({ seed: 2 }).journal.readAfter(0, 1);
    expect(parseEvent(line?.frame ?? '')).toMatchObject({ message: 'big', details: { truncated: true } });
    expect(messages(open({ seed: 3 }).journal)).toEqual(['big', 'next']);
  });

  it('refuses to start in a directory that it cannot use', () => {
    writeFileSync(join(directory, 'file'), '');
    const journal = new EventJournal(
      { files: realJournalFiles, clock: new ManualClock(), random: new SeededRandom(), logger: new RecordingLogger() },
      { directory: join(directory, 'file', 'events'), capBytes: 1_000_000 },
    );
    expect(() => journal.open()).toThrow(/cannot keep events in/);
  });

  it('L4 leaves no timer after it is closed', async () => {
    const { journal, clock } = open();
    raise(journal, 'one');
    await journal.close();
    await journal.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a full journal', () => {
  const capBytes = 100_000;

  it('drops the oldest info events first and counts them by kind', () => {
    const { journal } = open({ capBytes });
    for (let index = 0; index < 1_000; index++) raise(journal, `event ${index}`, index % 5 === 0 ? 'warning' : 'info');
    const left = messages(journal);
    const warnings = left.filter((text) => Number(text.slice(6)) % 5 === 0);
    expect(warnings).toHaveLength(200);
    const lost = journal.loss?.counts['edge/info'] ?? 0;
    expect(lost + left.length).toBe(1_000);
    expect(journal.loss).toMatchObject({ firstTimestamp: timestamp, lastTimestamp: timestamp });
    const total = logFiles().reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    expect(total).toBeLessThan(capBytes * 1.2);
    // Those that are left are the newest.
    const infos = left.filter((text) => Number(text.slice(6)) % 5 !== 0);
    expect(infos.at(-1)).toBe('event 999');
    expect(infos[0]).not.toBe('event 1');
  });

  it('then warnings, and critical ones last', () => {
    const { journal } = open({ capBytes });
    raise(journal, 'first', 'critical');
    for (const message of numbered(1_000)) raise(journal, message, 'warning');
    expect(messages(journal)[0]).toBe('first');
    expect(Object.keys(journal.loss?.counts ?? {})).toEqual(['edge/warning']);
  });

  it('remembers the count across a restart until it is told', () => {
    const { journal } = open({ capBytes });
    for (const message of numbered(1_000)) raise(journal, message);
    const second = open({ capBytes, seed: 2 }).journal;
    expect(second.loss).toEqual(journal.loss);
    const told = second.loss;
    if (told === null) throw new Error('nothing was lost');
    second.forgetLoss({ ...told });
    expect(second.loss).toEqual(told);
    second.forgetLoss(told);
    expect(open({ capBytes, seed: 3 }).journal.loss).toBeNull();
  });

  it('does not count what was delivered', () => {
    const { journal } = open({ capBytes });
    for (let index = 0; index < 3_000; index++) {
      raise(journal, `event ${index}`);
      journal.ack(index + 1);
    }
    expect(journal.loss).toBeNull();
  });
});

describe('a disk that takes nothing', () => {
  it('holds nobody up: events wait in memory, can be delivered, and are written when it works again', () => {
    const files = new FailingJournalFiles();
    const { journal, clock, logger } = open({ files });
    raise(journal, 'before');
    files.failing = 'writes';
    for (const message of numbered(100)) raise(journal, message);
    expect(journal.problem).toBe('no space left on device');
    expect(logger.messages('error')).toEqual(['event journal cannot be written']);
    expect(messages(journal)).toEqual(['before', ...numbered(100)]);
    files.failing = 'nothing';
    clock.advance(1_000);
    expect(journal.problem).toBeNull();
    expect(messages(open({ seed: 2 }).journal)).toEqual(['before', ...numbered(100)]);
  });

  it('fills memory only so far, then drops the oldest info events and counts them', () => {
    const files = new FailingJournalFiles();
    const { journal, clock } = open({ files, capBytes: 16 * 1024 * 1024 });
    files.failing = 'writes';
    raise(journal, 'kept', 'warning');
    for (const message of numbered(10_010)) raise(journal, message);
    expect(journal.loss?.counts).toEqual({ 'edge/info': 11 });
    expect(messages(journal).slice(0, 2)).toEqual(['kept', 'event 11']);
    files.failing = 'nothing';
    clock.advance(1_000);
    expect(open({ seed: 2 }).journal.loss?.counts).toEqual({ 'edge/info': 11 });
  });
});

describe('a disk that cannot sync', () => {
  it('is told of once a second, and no file is left open for it', async () => {
    const files = new FailingJournalFiles();
    const { journal, clock, logger } = open({ files, capBytes: 80_000 });
    files.failing = 'syncs';
    for (const message of numbered(150)) raise(journal, message);
    expect(files.openFiles).toBeGreaterThan(2);
    await clock.advanceAsync(1_000);
    expect(logger.messages('error')).toEqual(['event journal cannot be synced to disk']);
    files.failing = 'nothing';
    await clock.advanceAsync(1_000);
    await journal.close();
    expect(files.openFiles).toBe(0);
  });
});

describe('a journal whose files others handle', () => {
  const newest = (): string => join(directory, logFiles().at(-1) ?? '');

  it.each([
    ['moved', () => renameSync(newest(), `${newest()}.old`)],
    ['removed', () => rmSync(newest())],
    ['removed with their folder', () => rmSync(directory, { recursive: true })],
  ])('loses nothing when they were %s, also across a restart', (_how, handle) => {
    const { journal, clock, logger } = open({ capBytes: 16 * 1024 * 1024 });
    for (const message of numbered(1_500)) raise(journal, message);
    journal.ack(700);
    handle();
    raise(journal, 'after');
    clock.advance(1_000);
    expect(logger.messages('warn')).toEqual(['event journal files made anew']);
    expect(journal.loss).toBeNull();
    raise(journal, 'later');
    clock.advance(1_000);
    expect(logger.messages('warn')).toHaveLength(1);
    expect(messages(open({ seed: 2 }).journal)).toEqual([...numbered(800, 700), 'after', 'later']);
  });

  it('counts what was cut away, and keeps what comes after it', () => {
    const { journal, clock } = open();
    for (const message of numbered(20)) raise(journal, message);
    journal.ack(5);
    truncateSync(newest());
    raise(journal, 'after');
    clock.advance(1_000);
    raise(journal, 'later');
    expect(journal.loss?.counts).toEqual({ unknown: 15 });
    expect(messages(open({ seed: 2 }).journal)).toEqual(['after', 'later']);
  });

  it.each([
    ['removed', () => rmSync(join(directory, logFiles()[1] ?? ''))],
    ['cut', () => truncateSync(join(directory, logFiles()[1] ?? ''))],
  ])('delivers the others when an older one was %s, and counts at least what was in it', (_how, handle) => {
    const first = open({ capBytes: 80_000 });
    for (const message of numbered(150)) raise(first.journal, message);
    expect(logFiles().length).toBeGreaterThan(2);
    const { journal, clock } = open({ capBytes: 80_000, seed: 2 });
    handle();
    clock.advance(1_000);
    const left = messages(journal);
    expect(left.length).toBeLessThan(150);
    expect(left.at(-1)).toBe('event 149');
    expect(journal.loss?.counts).toEqual({ unknown: 150 - left.length });
  });
});
