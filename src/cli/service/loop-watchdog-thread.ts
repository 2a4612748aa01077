import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import process from 'node:process';
import { workerData } from 'node:worker_threads';

const { beats, limitMs } = workerData as { readonly beats: Int32Array; readonly limitMs: number };

const standardError = 2;

// Now, since this thread never ends by itself. Without it each start loads the stripper of types here once more.
flushCompileCache();

/** True when the loop turned within `timeoutMs`. */
function turns(timeoutMs: number): boolean {
  return Atomics.wait(beats, 0, Atomics.load(beats, 0), timeoutMs) !== 'timed-out';
}

// The second look spares a process that was paused as a whole, with its machine or by SIGSTOP.
while (turns(limitMs) || turns(limitMs / 2));
// `process.stderr` of a thread goes through the loop that is stuck.
writeSync(standardError, `adit: the event loop has not turned for ${(1.5 * limitMs) / 1000} s, ending\n`);
process.kill(process.pid, 'SIGABRT');
