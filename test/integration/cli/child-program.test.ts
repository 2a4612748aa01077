import { describe, expect, it } from 'vitest';
import { ChildProgram } from '../../../src/cli/demo/child-program.ts';
import { SystemClock } from '../../../src/lib/clock.ts';

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
