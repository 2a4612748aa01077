import { flushCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';
import { collectGarbage } from '../../lib/collect-garbage.ts';
import { LoopGuard, type LoopPulse } from '../../lib/loop-pulse.ts';

const looksPerLimit = 10;

const pulse = workerData as LoopPulse;
const guard = new LoopGuard(pulse);

// Now, since this thread never ends by itself. Without it each start loads the stripper of types here once more.
flushCompileCache();
await collectGarbage();

for (;;) {
  guard.endIfStuck();
  // The value differs once the loop has turned; nothing wakes this thread.
  Atomics.wait(pulse.turns, 0, Atomics.load(pulse.turns, 0), pulse.limitMs / looksPerLimit);
}
