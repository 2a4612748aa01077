import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { builtEngines } from '../support/programs/engines.ts';

const adit = resolve(import.meta.dirname, '../../bin/adit');

describe('adit demo', () => {
  it('carries TCP both ways and a UDP stream through a relay and two edges, and says that all is well', async () => {
    const { stdout } = await promisify(execFile)(adit, [
      'demo',
      '--seconds',
      '2',
      '--megabytes',
      '10',
      '--rate',
      '500',
      '--compare',
      '1',
    ]);
    expect(stdout).toContain('both hashes equal');
    expect(stdout).toMatch(/^tcp +[\d.]+ MB\/s +[\d.]+ ms \+ +[\d.]+ ms .*\| udp +\d+ packets\/s .*\| dropped \d+$/m);
    expect(stdout).toMatch(/UDP {2}1000 packets of 1332 bytes sent, \d+ lost, 0 damaged/);
    const isNativeBuilt = (await builtEngines()).includes('native');
    const compared = /engine native \d+ MB\/s, engine quiche \d+ MB\/s \(native \d+\.\d times as fast\)$/m;
    expect(stdout).toMatch(isNativeBuilt ? compared : /^TCP one way on engine quiche: \d+ MB\/s; the native/m);
    // The order of a stop of three seconds: silent while it lasts, back after it.
    expect(stdout).toMatch(
      /SIGSTOP.*\n {2}after [0-2]\.\d s: Process the relay \(\d+\) has been silent for \d+ ms\n {2}after [3-9]\.\d s: .* beats again\n/,
    );
    expect(stdout).toContain('\nall well\n');
  });

  it('ends with status 2 and a remedy on a wrong flag', async () => {
    const failure: unknown = await promisify(execFile)(adit, ['demo', '--rate', 'fast']).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 2 });
    expect(String(failure)).toContain('must be a whole number above 0');
  });
});
