import process from 'node:process';
import { startLoopWatchdog } from '../../../src/cli/service/loop-watchdog.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { startLoopPulse } from '../../../src/lib/loop-pulse.ts';
import { SqliteWorker } from '../../../src/manager/store/sqlite-worker.ts';
import { TestWatch } from '../observer/test-watch.ts';

/**
 * A program whose event loop stops turning after a while in which it did: `node stuck-program.ts LIMIT_MS thread`,
 * `… observer`, where the thread that receives beats watches the loop, or `… manager FILE`, where that of the database
 * does.
 */
const limitMs = Number(process.argv[2]);
const pulse = startLoopPulse(new SystemClock(), limitMs);
const [, , , watcher, file = ''] = process.argv;
if (watcher === 'observer') await TestWatch.start({}, pulse);
else if (watcher === 'manager') await SqliteWorker.open(file, pulse);
else startLoopWatchdog(pulse);
setTimeout(() => {
  process.stdout.write('turned\n');
  for (;;);
}, 2 * limitMs);
