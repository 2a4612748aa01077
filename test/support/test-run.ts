import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { machineNames, removeMachine } from './network/other-machine.ts';

/** What belongs to a run has the number of its process in its name. */
const folderPrefix = 'adit-tests-';

let shared = tmpdir();

/**
 * Before all tests of a run (vitest's `globalSetup`): they, and the programs that they start, get a folder of their own
 * for temporary files. Removes what runs that were killed have left.
 */
export function setup(): void {
  shared = tmpdir();
  process.env['ADIT_TEST_RUN'] = String(process.pid);
  removeWhere((run) => !isRunning(run));
  mkdirSync(ownFolder(), { recursive: true });
  // PostgreSQL runs as another user.
  chmodSync(ownFolder(), 0o711);
  process.env['TMPDIR'] = ownFolder();
}

/** After them: a test that ran into its limit, and a program that was killed, leave nothing behind. */
export function teardown(): void {
  process.env['TMPDIR'] = shared;
  removeWhere((run) => run === process.pid);
}

function removeWhere(isOver: (run: number) => boolean): void {
  for (const name of readdirSync(shared)) {
    const run = name.startsWith(folderPrefix) ? Number(name.slice(folderPrefix.length)) : Number.NaN;
    if (Number.isInteger(run) && isOver(run)) rmSync(join(shared, name), { recursive: true, force: true });
  }
  for (const { name, run } of machineNames()) if (isOver(run)) removeMachine(name);
}

function ownFolder(): string {
  return join(shared, `${folderPrefix}${process.pid}`);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // One of another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
