import process from 'node:process';
import { CommanderError } from 'commander';
import { exitCodeOf, reportFailure } from './cli/failure.ts';
import { createProgram } from './cli/program.ts';

const terminal = { out: (text: string) => void process.stdout.write(text) };

try {
  await createProgram(terminal).parseAsync(process.argv);
} catch (error) {
  if (!(error instanceof CommanderError)) reportFailure(error, (text) => void process.stderr.write(text));
  process.exitCode = exitCodeOf(error);
}
