import { CommanderError } from 'commander';
import { AppError, errorMessage } from '../lib/app-error.ts';

/** A command ran to its end, and what it was to show or do does not hold. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/**
 * 0: help and version. 2: flags or config that the user can mend. 69 (EX_UNAVAILABLE): something is missing or taken on
 * this machine. 1: everything else.
 */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof AppError)) return 1;
  return { 'config-invalid': 2, unavailable: 69 }[error.code as string] ?? 1;
}

/** Writes to standard error what ended the program, a line for each problem. The stack is for our own bugs only. */
export function reportFailure(error: unknown, write: (text: string) => void): void {
  const expected = error instanceof CommandFailed || (error instanceof AppError && error.code !== 'bug');
  const text = expected || !(error instanceof Error) ? errorMessage(error) : (error.stack ?? errorMessage(error));
  for (const line of text.split('\n')) write(`adit: ${line}\n`);
}
