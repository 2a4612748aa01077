import { describe, expect, it } from 'vitest';
import { EventInbox } from '../../../../src/manager/events/event-inbox.ts';
import type { EventRow, NewEvent } from '../../../../src/manager/store/schema.ts';
import type { EventStore } from '../../../../src/manager/store/store.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';

const minutesMs = 60_000;

/** An inbox on a database that is away while the test says so. */
function inboxOn(clock: ManualClock) {
  const bed = { away: false, rows: [] as NewEvent[], asked: 0 };
  const logger = new RecordingLogger();
  const store = {
    insert(events: readonly NewEvent[]) {
      bed.asked += 1;
      if (bed.away) return Promise.reject(new Error('connection terminated'));
      bed.rows.push(...events);
      return Promise.resolve(events as unknown as readonly EventRow[]);
    },
  } as unknown as EventStore;
  const inbox = new EventInbox({ clock, logger, store, onStored: () => undefined, onCommitted: () => undefined });
  return { inbox, bed, logger };
}

function event(number: number): NewEvent {
  return { node_id: 'n', severity: 'info', category: 'edge', message: `${number}`, raised_at: 0, received_at: 0 };
}

describe('events while the database is away', () => {
  it('MF2 for five minutes wait, and are stored once and in order when it is back', async () => {
    const clock = new ManualClock();
    const { inbox, bed, logger } = inboxOn(clock);
    bed.away = true;
    let confirmed = false;
    for (let number = 0; number < 900; number++) {
      inbox.put(event(number));
      await clock.advanceAsync((5 * minutesMs) / 900);
    }
    inbox.afterCommit(() => (confirmed = true));
    expect(inbox).toMatchObject({ uncommitted: 900, isHealthy: false });
    expect(inbox.waiting('n')).toBe(900);
    // One try a second, and one line in the log for all of them.
    expect(bed.asked).toBeLessThanOrEqual(302);
    expect(logger.messages('error')).toHaveLength(1);
    bed.away = false;
    await clock.advanceAsync(1_000);
    expect(bed.rows.map(({ message }) => message)).toEqual(Array.from({ length: 900 }, (_, number) => `${number}`));
    expect([confirmed, inbox.uncommitted, inbox.waiting('n'), inbox.isHealthy]).toEqual([true, 0, 0, true]);
  });

  it('are given up after the time that a stop allows; their nodes keep what no pong confirmed', async () => {
    const clock = new ManualClock();
    const { inbox, bed } = inboxOn(clock);
    bed.away = true;
    inbox.put(event(1));
    let confirmed = false;
    inbox.afterCommit(() => (confirmed = true));
    const stopped = inbox.stop(5_000);
    await clock.advanceAsync(5_000);
    await stopped;
    bed.away = false;
    await clock.advanceAsync(minutesMs);
    expect([confirmed, bed.rows]).toEqual([false, []]);
  });
});

describe('durations of commits', () => {
  it('do not pile up without a reader of the metrics', async () => {
    const clock = new ManualClock();
    const { inbox, bed } = inboxOn(clock);
    for (let number = 0; number < 10_500; number++) {
      inbox.put(event(number));
      await clock.advanceAsync(5);
    }
    expect(bed.asked).toBe(10_500);
    expect(inbox.takeCommitTimes()).toHaveLength(500);
    expect(inbox.takeCommitTimes()).toEqual([]);
  });
});
