import { describe, expect, it } from 'vitest';
import { LineQueue } from '../../../src/lib/log-target/line-queue.ts';
import type { LogTarget } from '../../../src/lib/log-target/log-target.ts';
import { ManualClock, settle } from '../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';

/** A target that takes a line only when the test lets it. */
class SlowTarget implements LogTarget {
  readonly taken: string[] = [];
  closed = 0;
  #release: ((error?: Error) => void) | null = null;

  write(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#release = (error) => {
        if (error === undefined) {
          this.taken.push(line);
          resolve();
        } else reject(error);
      };
    });
  }

  async close(): Promise<void> {
    this.closed++;
  }

  async release(error?: Error): Promise<void> {
    this.#release?.(error);
    await settle();
  }
}

function bedOf() {
  const [target, clock, logger] = [new SlowTarget(), new ManualClock(), new RecordingLogger()];
  return { target, clock, logger, queue: new LineQueue(target, clock, logger) };
}

describe('the queue of structured log lines', () => {
  it('hands lines over in order, one at a time', async () => {
    const { target, queue } = bedOf();
    for (const line of ['a', 'b', 'c']) queue.push(line);
    await target.release();
    expect(target.taken).toEqual(['a']);
    await target.release();
    await target.release();
    queue.push('d');
    await target.release();
    expect(target.taken).toEqual(['a', 'b', 'c', 'd']);
    expect(queue.dropped).toBe(0);
  });

  it('drops what does not fit and counts it, without blocking', () => {
    const { queue } = bedOf();
    for (let n = 0; n < 3000; n++) queue.push('x');
    // One is with the target, 2048 wait.
    expect(queue.dropped).toBe(3000 - 2049);
  });

  it('counts lines that the target refuses, and reports it once until it works again', async () => {
    const { target, queue, logger } = bedOf();
    for (const line of ['a', 'b', 'c']) queue.push(line);
    await target.release(new Error('disk full'));
    await target.release(new Error('disk full'));
    expect(logger.messages('warn')).toEqual(['structured log cannot be written']);
    await target.release();
    expect(logger.messages('info')).toEqual(['structured log goes on']);
    expect([target.taken, queue.dropped]).toEqual([['c'], 2]);
  });

  it('hands over what waits when it stops, and closes the target once', async () => {
    const { target, queue } = bedOf();
    queue.push('a');
    const stopped = Promise.all([queue.stop(), queue.stop()]);
    queue.push('too late');
    await target.release();
    await stopped;
    expect([target.taken, target.closed, queue.dropped]).toEqual([['a'], 1, 1]);
  });

  it('does not wait for ever for a target that takes nothing', async () => {
    const { target, queue, clock } = bedOf();
    for (const line of ['a', 'b', 'c']) queue.push(line);
    const stopped = queue.stop();
    clock.advance(2000);
    await stopped;
    expect([target.closed, queue.dropped, clock.pendingTimers]).toEqual([1, 2, 0]);
  });

  it('does not wait for ever for a target that does not close', async () => {
    const { target, queue, clock } = bedOf();
    target.close = () => new Promise(() => undefined);
    const stopped = queue.stop();
    await settle();
    clock.advance(2000);
    await stopped;
    expect(clock.pendingTimers).toBe(0);
  });
});
