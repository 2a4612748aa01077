import { describe, expect, it } from 'vitest';
import { FileWatch, fileMark } from '../../../src/lib/file-watch.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

async function watchOf(marks: Record<string, string>) {
  const clock = new ManualClock();
  let changes = 0;
  const files = (): string[] => Object.keys(marks);
  const mark = async (path: string): Promise<string | null> => marks[path] ?? null;
  const watch = new FileWatch({ clock, mark, files, onChange: () => changes++ });
  await watch.start();
  return { clock, watch, changes: () => changes };
}

describe('the watch over files', () => {
  it('tells once of a change, when it has settled', async () => {
    const marks = { config: '1', certificate: '1' };
    const { clock, changes } = await watchOf(marks);
    await clock.advanceAsync(10_000);
    expect(changes()).toBe(0);
    marks.certificate = 'half written';
    await clock.advanceAsync(2000);
    marks.certificate = '2';
    await clock.advanceAsync(2000);
    expect(changes()).toBe(0);
    await clock.advanceAsync(2000);
    expect(changes()).toBe(1);
    await clock.advanceAsync(10_000);
    expect(changes()).toBe(1);
  });

  it('is silent about a change that was taken back, and after it was stopped', async () => {
    const marks = { config: '1' };
    const { clock, watch, changes } = await watchOf(marks);
    marks.config = '2';
    await clock.advanceAsync(2000);
    marks.config = '1';
    await clock.advanceAsync(4000);
    marks.config = '3';
    watch.stop();
    watch.stop();
    await clock.advanceAsync(10_000);
    expect([changes(), clock.pendingTimers]).toEqual([0, 0]);
  });

  it('marks a real file, and one that is absent', async () => {
    expect(await fileMark(import.meta.filename)).toMatch(/^[\d.]+ \d+ \d+$/);
    expect(await fileMark('/nowhere/at/all')).toBeNull();
  });
});
