import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';

const main = join(import.meta.dirname, '../../../src/main.ts');
/** As where the package is not installed. */
const withoutKoffi = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ resolve(name, context, next) {
    if (name === 'koffi') throw new Error("Cannot find package 'koffi'");
    return next(name, context);
  } });
`)}`;

function start(flags: readonly string[]) {
  const child = spawn(process.execPath, [
    '--import',
    withoutKoffi,
    main,
    'observer',
    '--threshold-ms',
    '500',
    ...flags,
  ]);
  let log = '';
  child.stderr.on('data', (data: Buffer) => (log += data.toString()));
  const ended = new Promise<number | null>((resolve) => void child.once('exit', resolve));
  return { child, ended, log: () => log };
}

describe('without the package koffi', () => {
  it('the UNIX socket is refused with the reason and the remedy, with status 69', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
    const { ended, log } = start(['--socket', join(folder, 'o.sock')]);
    expect(await ended).toBe(69);
    expect(log()).toMatch(/UNIX datagram sockets need the package koffi.*npm ci.*udp_port/s);
    await rm(folder, { recursive: true });
  });

  it('UDP works', async () => {
    const { child, ended, log } = start(['--udp-port', '0', '--i-accept-plaintext-udp']);
    await until(() => log().includes('observer started'), { timeoutMs: 25_000 });
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});
