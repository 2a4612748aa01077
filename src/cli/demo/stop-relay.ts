import type { Clock } from '../../lib/clock.ts';
import type { Terminal } from '../terminal.ts';
import type { ChildProgram } from './child-program.ts';

const stoppedMs = 3000;

/** Stops the relay for three seconds, and prints the observer's reports. */
export async function stopRelay(
  relay: ChildProgram,
  observer: ChildProgram,
  clock: Clock,
  terminal: Terminal,
): Promise<void> {
  terminal.out(`\nthe relay is stopped for ${stoppedMs / 1000} s (SIGSTOP); the observer says:\n`);
  const startMs = clock.monotonicMs();
  const show = async (message: RegExp): Promise<void> => {
    const line = await observer.line(message);
    const seconds = ((clock.monotonicMs() - startMs) / 1000).toFixed(1);
    terminal.out(`  after ${seconds} s: ${String(line['msg'])}\n`);
  };
  relay.kill('SIGSTOP');
  try {
    await show(/ has been silent for /);
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, startMs + stoppedMs - clock.monotonicMs()));
    const back = show(/ beats again$/);
    relay.kill('SIGCONT');
    await back;
  } finally {
    // A stopped process would not handle the signal to end.
    relay.kill('SIGCONT');
  }
}
