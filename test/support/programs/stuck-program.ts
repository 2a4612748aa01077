import process from 'node:process';
import { startLoopWatchdog } from '../../../src/cli/service/loop-watchdog.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { startLoopPulse } from '../../../src/lib/loop-pulse.ts';
import { TestWatch } from '../observer/test-watch.ts';

/**
 * A program whose event loop stops turning after a while in which it did: `node stuck-program.ts LIMIT_MS thread`, or
 * `… observer`, where the thread that receives beats watches the loop.
 */
const limitMs = Number(process.argv[2]);
const pulse = startLoopPulse(new SystemClock(), limitMs);
if (process.argv[3] === 'observer') await TestWatch.start({}, pulse);
else startLoopWatchdog(pulse);
setTimeout(() => {
  process.stdout.write('turned\n');
  for (;;);
}, 2 * limitMs);
