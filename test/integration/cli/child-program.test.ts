import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildProgram } from '../../../src/cli/demo/child-program.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

/** Instead of `adit`: prints lines in one write, and ends. */
const printing = (text: string): readonly string[] => ['sh', '-c', 'printf %b "$1" >&2', 'sh', text];

describe('a child program', () => {
  it('gives lines that arrive together to one wait after the other, before it says that the program ended', async () => {
    const lines = ['one', 'two', 'three'].map((msg) => JSON.stringify({ msg }));
    await using program = new ChildProgram('printer', [], new SystemClock(), printing(lines.join('\n')));
    for (const message of ['one', 'two', 'three']) {
      expect(await program.line(message)).toEqual({ msg: message });
    }
    expect(await program.exit()).toBe(0);
    await expect(program.line('four')).rejects.toThrow('the printer: it has ended; its last lines:');
  });
});

describe('a child program that takes its time', () => {
  let folder = '';
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'adit-child-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Reports its start once there is a file `go`. */
  const slow = (clock: ManualClock): ChildProgram => {
    const script = `while [ ! -e '${folder}/go' ]; do sleep 0.05; done; echo '{"msg":"relay started"}' >&2`;
    return new ChildProgram('relay', [], clock, ['sh', '-c', script]);
  };

  it('may take two minutes to start, for a busy machine', async () => {
    const clock = new ManualClock();
    await using program = slow(clock);
    const started = program.line('relay started');
    clock.advance(119_000);
    writeFileSync(join(folder, 'go'), '');
    expect(await started).toEqual({ msg: 'relay started' });
  });

  it('is given up when it hangs, and reported to have logged nothing', async () => {
    const clock = new ManualClock();
    await using program = slow(clock);
    const started = program.line('relay started');
    clock.advance(121_000);
    await expect(started).rejects.toThrow('the relay: it did not say "relay started" in time; it has logged nothing');
    writeFileSync(join(folder, 'go'), '');
    expect(await program.exit()).toBe(0);
  });
});
