import { startLoopWatchdog } from '../../../src/cli/service/loop-watchdog.ts';
import { SystemClock } from '../../../src/lib/clock.ts';

/** A program whose event loop stops turning after a while in which it did: `node stuck-program.ts LIMIT_MS`. */
const limitMs = Number(process.argv[2]);
startLoopWatchdog(new SystemClock(), limitMs);
setTimeout(() => {
  process.stdout.write('turned\n');
  for (;;);
}, 2 * limitMs);
