import { describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { createProgram } from '../../../src/cli/program.ts';

describe('the command line', () => {
  it('prints the version of the package', async () => {
    const printed: string[] = [];
    const program = createProgram()
      .exitOverride()
      .configureOutput({ writeOut: (text) => printed.push(text) });
    await expect(program.parseAsync(['node', 'adit', '--version'])).rejects.toMatchObject({ exitCode: 0 });
    expect(printed).toEqual([`${packageJson.version}\n`]);
  });
});
