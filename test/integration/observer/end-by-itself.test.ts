import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess } from '../../support/observer/agent-process.ts';
import { startObserverProcess } from '../../support/observer/observer-process.ts';
import { until } from '../../support/until.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot) process.stdout.write('not root: agents of other PID namespaces are left out\n');

describe('an observer that ends by itself', () => {
  let folder = '';
  let flags: readonly string[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
    flags = [`--socket=${join(folder, 'o.sock')}`, '--threshold-ms=30000'];
  });
  afterEach(async () => rm(folder, { recursive: true }));

  it('does so after shutdown_after_secs, with status 0', async () => {
    await using program = await startObserverProcess([...flags, '--shutdown-after-secs=1']);
    await until(() => program.child.exitCode !== null);
    expect(program.child.exitCode).toBe(0);
  });

  it('does not wait for that time when it is stopped before', async () => {
    await using program = await startObserverProcess([...flags, '--shutdown-after-secs=86400']);
    program.child.kill('SIGTERM');
    await until(() => program.child.exitCode !== null);
    expect(program.child.exitCode).toBe(0);
  });

  it('because of an agent in another PID namespace stops in order, however often that agent beats', async () => {
    if (!isRoot) return;
    await using program = await startObserverProcess([...flags, '--strict-namespace-check']);
    await using foreign = await AgentProcess.start(join(folder, 'o.sock'), ['unshare', '-p', '-f']);
    // On and on, so that some come while it stops.
    while (program.child.exitCode === null) await foreign.beat();
    expect(program.child.exitCode).toBe(1);
    expect(program.log()).toContain('observer stopped');
    expect(existsSync(join(folder, 'o.sock'))).toBe(false);
  });
});
