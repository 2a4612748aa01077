import { expect } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';

/** Runs `adit` with these arguments in this process; returns what it prints. */
export function adit(...args: string[]): Promise<string> {
  return aditOn({}, ...args);
}

export async function aditOn(terminal: Pick<Terminal, 'width' | 'exitWith'>, ...args: string[]): Promise<string> {
  const printed: string[] = [];
  const out = (text: string): void => void printed.push(text);
  const program = await createProgram({ ...terminal, out }, args);
  await program.parseAsync(['node', 'adit', ...args]);
  return printed.join('');
}

/** What `--watch` prints first and, once that was read, next; it goes on for ever. */
export async function watched(terminal: Pick<Terminal, 'width'>, ...args: string[]): Promise<readonly string[]> {
  const printed: string[] = [];
  const out = (text: string): void => {
    if (printed.push(text) > 2) throw new Error('enough');
  };
  const typed = ['status', '--watch', '0.1', ...args];
  const program = await createProgram({ ...terminal, out }, typed);
  await expect(program.parseAsync(['node', 'adit', ...typed])).rejects.toThrow('enough');
  return printed;
}
