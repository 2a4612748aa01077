import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Where figures come from: without it they mean nothing. */
export interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  /** Largest socket buffers that a program may ask for, which bound the bursts that a relay survives. */
  readonly receiveBufferMax: number;
  readonly sendBufferMax: number;
  /** Over the minute before the run: other programs at work. */
  readonly loadAverage: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: release(),
    node: process.version,
    receiveBufferMax: readNumber('/proc/sys/net/core/rmem_max'),
    sendBufferMax: readNumber('/proc/sys/net/core/wmem_max'),
    loadAverage: loadavg()[0] ?? NaN,
  };
}

/** The commit of this checkout, marked when files differ from it; null outside a checkout. */
export function describeCommit(): string | null {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: fileURLToPath(new URL('.', import.meta.url)), encoding: 'utf8', stdio: 'pipe' });
  try {
    const commit = git('rev-parse', '--short', 'HEAD').trim();
    return git('status', '--porcelain').trim() === '' ? commit : `${commit} with changes`;
  } catch {
    // No git, or an archive of the sources.
    return null;
  }
}

function readNumber(path: string): number {
  return Number(readFileSync(path, 'utf8'));
}
