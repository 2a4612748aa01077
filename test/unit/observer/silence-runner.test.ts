import { expect, it } from 'vitest';
import { SilenceRunner } from '../../../src/observer/silence-runner.ts';
import { createCounters } from '../../../src/observer/slots/counters.ts';
import { StallWatch } from '../../../src/observer/slots/stall-watch.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

it('the look-out for silence that is stopped does not begin anew with a config that comes too late', async () => {
  const clock = new ManualClock();
  const runner = new SilenceRunner(
    {
      clock,
      time: { startNs: 0n, nowNs: () => 0 },
      intake: { stall: () => expect.unreachable() } as never,
      watch: new StallWatch(() => [], 1e9, 0),
      counters: createCounters(),
      sink: () => undefined,
      looked: () => undefined,
    },
    [],
    1000,
  );
  runner.start();
  await runner.stop();
  runner.reconfigure(500);
  expect(clock.pendingTimers).toBe(0);
});
