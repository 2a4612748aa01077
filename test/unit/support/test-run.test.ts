import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const testRun = join(import.meta.dirname, '../../support/test-run.ts');
let shared: string;

beforeEach(() => {
  shared = mkdtempSync(join(tmpdir(), 'adit-run-'));
});
afterEach(() => {
  rmSync(shared, { recursive: true });
});

/** A run of tests that leaves a folder, in a process of its own. */
function run(end: 'teardown' | 'killed'): void {
  const code = [
    `const { setup, teardown } = await import(${JSON.stringify(testRun)});`,
    'setup();',
    "fs.mkdtempSync(path.join(os.tmpdir(), 'left-by-a-test-'));",
    end === 'teardown' ? 'teardown();' : "process.kill(process.pid, 'SIGKILL');",
  ];
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval'];
  const imports = "import fs from 'node:fs'; import os from 'node:os'; import path from 'node:path';";
  const options = { env: { ...process.env, TMPDIR: shared }, timeout: 60_000 };
  try {
    execFileSync(process.execPath, [...flags, `${imports}\n${code.join('\n')}`], options);
  } catch (error) {
    if (end !== 'killed') throw error;
  }
}

describe('a run of the tests', () => {
  it('leaves no temporary folder, whatever its tests left', () => {
    run('teardown');
    expect(readdirSync(shared)).toEqual([]);
  });

  it('removes what a run has left that was killed', () => {
    run('killed');
    expect(readdirSync(shared)).toHaveLength(1);
    run('teardown');
    expect(readdirSync(shared)).toEqual([]);
  });
});
