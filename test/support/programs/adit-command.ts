import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const aditPath = fileURLToPath(new URL('../../../bin/adit', import.meta.url));

export interface CommandResult {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command of `bin/adit` to its end, as a user types it. */
export function runAdit(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: 60_000 };
    const child = execFile(aditPath, args, options, (_error, out, err) => {
      resolve({ status: child.exitCode ?? -1, out, err });
    });
  });
}
