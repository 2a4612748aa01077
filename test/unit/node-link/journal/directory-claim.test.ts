import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimDirectory } from '../../../../src/node-link/journal/directory-claim.ts';
import { until } from '../../../support/until.ts';

let directory = '';
beforeEach(() => void (directory = join(mkdtempSync(join(tmpdir(), 'adit-claim-')), 'state')));
afterEach(() => rmSync(join(directory, '..'), { recursive: true }));

const lock = (): string => join(directory, 'lock');

describe('a claim on a directory', () => {
  it('holds against others until it is given up, and the refusal names the directory, the process and what to do', () => {
    const claim = claimDirectory(directory);
    expect(() => claimDirectory(directory)).toThrow(
      `${directory} is in use by another adit, process ${process.pid}: stop that one or set another state_dir`,
    );
    claim[Symbol.dispose]();
    claimDirectory(directory);
  });

  it('of a process that is dead counts no more', () => {
    const { pid } = spawnSync('true');
    claimDirectory(directory)[Symbol.dispose]();
    symlinkSync(`${pid} 1`, lock());
    claimDirectory(directory);
    expect(readlinkSync(lock())).toMatch(new RegExp(`^${process.pid} `));
  });

  it('of a process whose number another one has now, as after a reboot, counts no more', () => {
    claimDirectory(directory)[Symbol.dispose]();
    symlinkSync(`${process.ppid} 1`, lock());
    claimDirectory(directory);
    expect(readlinkSync(lock())).toMatch(new RegExp(`^${process.pid} `));
  });

  it('of a killed process that nobody has taken note of yet counts no more', async () => {
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const zombie = line.toString().trim();
    // The shell would take note; what it becomes does not.
    await until(() => readFileSync(`/proc/${parent.pid}/cmdline`, 'utf8').startsWith('sleep'));
    process.kill(Number(zombie), 'SIGKILL');
    const fields = await until(() => {
      const found = readFileSync(`/proc/${zombie}/stat`, 'utf8').split(' ');
      return found[2] === 'Z' && found;
    });
    claimDirectory(directory)[Symbol.dispose]();
    symlinkSync(`${zombie} ${fields[21] ?? ''}`, lock());
    claimDirectory(directory);
    parent.kill();
  });

  it('that cannot be made says why', () => {
    writeFileSync(directory, 'a file');
    expect(() => claimDirectory(directory)).toThrow(
      expect.objectContaining({ code: 'io-failed', message: `cannot keep state in ${directory}` }) as Error,
    );
  });
});
