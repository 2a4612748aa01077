import { existsSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { failureCode } from '../../support/failure-code.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'adit-service-'));
  for (const version of ['1.0.0', '1.2.0', '1.10.0'])
    mkdirSync(join(root, 'opt/adit/versions', version), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

async function service(...args: string[]): Promise<string> {
  let printed = '';
  const all = ['service', ...args, '--root', root];
  const program = await createProgram({ out: (text) => void (printed += text) }, all);
  await program.parseAsync(['node', 'adit', ...all]);
  return printed;
}

describe('adit service', () => {
  it('switches between versions side by side, and goes back with one command', async () => {
    await service('use', '1.0.0');
    await service('use', '1.10.0');
    expect(await service('versions')).toBe('1.0.0 previous\n1.2.0\n1.10.0 current\n');
    expect(readlinkSync(join(root, 'opt/adit/current'))).toBe('versions/1.10.0');
    expect(await service('rollback')).toMatch(/^1\.0\.0 is the current version; what runs stays as it is/);
    expect(await service('versions')).toBe('1.0.0 current\n1.2.0\n1.10.0 previous\n');
    // A second one goes forth again.
    await service('rollback');
    expect(await service('versions')).toContain('1.10.0 current');
  });

  it('removes old versions, never the current one nor the one to go back to', async () => {
    await service('use', '1.2.0');
    await service('use', '1.10.0');
    expect(await service('prune')).toBe('removed 1.0.0\n');
    expect(await service('prune')).toBe('nothing to remove\n');
    expect(await service('versions')).toBe('1.2.0 previous\n1.10.0 current\n');
  });

  it('refuses a version that is not installed, and a roll-back to nothing', async () => {
    expect(await failureCode(service('use', '3.0.0'))).toBe('config-invalid');
    expect(await failureCode(service('rollback'))).toBe('config-invalid');
    expect(existsSync(join(root, 'opt/adit/current'))).toBe(false);
  });

  it('does not install a checkout, whose files change under what runs, nor without a config', async () => {
    const checkout = service('install', 'manager');
    await expect(checkout).rejects.toThrow('npm run package makes what can be installed');
    await expect(service('install', 'relay')).rejects.toThrow('--config is missing: a relay does not run without one');
    expect(lstatSync(join(root, 'etc'), { throwIfNoEntry: false })).toBeUndefined();
  });
});
