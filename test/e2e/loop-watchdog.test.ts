import { execFile } from 'node:child_process';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const program = resolve(import.meta.dirname, '../support/programs/stuck-program.ts');

describe('the watchdog of the event loop', () => {
  it.each([
    ['a thread of its own', 'thread'],
    ['the thread that receives beats', 'observer'],
    ['the thread of an embedded database', 'manager'],
  ])('leaves a loop that turns alone, and ends the process once it is stuck: %s', async (_, watcher) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'adit-stuck-'));
    const file = join(folder.path, 'manager.db');
    const args = ['--disable-warning=ExperimentalWarning', program, '1000', watcher, file];
    const failure: unknown = await promisify(execFile)(process.execPath, args).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      signal: 'SIGABRT',
      stdout: 'turned\n',
      stderr: 'adit: the event loop has not turned for 1.5 s, ending\n',
    });
  });
});
