import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { withoutConfig } from '../../../src/config/environment.ts';

export const aditPath = fileURLToPath(new URL('../../../bin/adit', import.meta.url));

export interface CommandResult {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command of `bin/adit` to its end, as a user types it; `wrapper` is a command that starts it. */
export function runAdit(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  wrapper: readonly string[] = [],
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const [command = aditPath, ...rest] = [...wrapper, aditPath, ...args];
    const options = { env: { ...withoutConfig(process.env), ...env }, timeout: 60_000 };
    const child = execFile(command, rest, options, (_error, out, err) => {
      resolve({ status: child.exitCode ?? -1, out, err });
    });
  });
}
