import process from 'node:process';
import { CommanderError } from 'commander';
import { exitCodeOf, reportFailure } from './cli/failure.ts';
import { highlight } from './cli/highlight.ts';
import { createProgram } from './cli/program.ts';
import { leaveOutLocales } from './lib/leave-out-locales.ts';

let readerIsGone = false;
const terminal = {
  out(text: string): void {
    process.stdout.write(highlight(text), (error) => {
      if (!error || readerIsGone) return;
      readerIsGone = true;
      // `head` has what it wanted: ends as at Ctrl-C, so that a demo takes its programs along.
      process.kill(process.pid, 'SIGINT');
    });
  },
  exitWith(status: number): void {
    process.exitCode = status;
  },
  ...(process.stdout.isTTY && { width: (): number => process.stdout.columns }),
};
// Each write reports it, too. A relay goes on when the reader of its log has died.
process.stdout.on('error', () => undefined);

leaveOutLocales();
try {
  const program = await createProgram(terminal, process.argv.slice(2));
  await program.parseAsync(process.argv);
} catch (error) {
  if (!(error instanceof CommanderError)) reportFailure(error, (text) => void process.stderr.write(text));
  process.exitCode = exitCodeOf(error);
}
