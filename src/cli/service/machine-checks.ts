import { readFile } from 'node:fs/promises';
import type { MachineProblem } from '../../lib/machine-problem.ts';

/** Buffer sizes requested for each UDP socket, and granted ones; null where an engine does not know. */
export interface SocketBuffers {
  readonly asked: number;
  readonly granted: readonly (number | null)[];
}

export interface MachineFacts {
  readonly nowMs: number;
  /** Soft limit; null where it is not known. */
  readonly openFileLimit: number | null;
  readonly socketBuffers?: SocketBuffers | undefined;
}

/** Local connections, log files and links take one each. */
const fewOpenFiles = 4096;
/** 2026-01-01: this program is not older, so a clock before it is wrong. */
const releasedAfterMs = 1_767_225_600_000;

/** What is wrong with the machine for a program like this. */
export function machineProblems({ nowMs, openFileLimit, socketBuffers }: MachineFacts): readonly MachineProblem[] {
  const problems: MachineProblem[] = [];
  if (socketBuffers !== undefined) problems.push(...bufferProblems(socketBuffers));
  if (openFileLimit !== null && openFileLimit < fewOpenFiles) {
    const problem = `only ${openFileLimit} files may be open at once`;
    problems.push({ problem, remedy: 'raise it: ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit' });
  }
  if (nowMs < releasedAfterMs) {
    const problem = 'the clock of this machine is years behind, so no certificate will seem valid';
    problems.push({ problem, remedy: 'set the clock: timedatectl set-ntp true' });
  }
  return problems;
}

function bufferProblems({ asked, granted }: SocketBuffers): readonly MachineProblem[] {
  const least = Math.min(...granted.filter((bytes) => bytes !== null));
  // Infinity without a listener, and where none knows.
  if (least >= asked) return [];
  const problem = `the kernel granted UDP buffers of ${least} bytes where ${asked} were asked for; bursts will be lost`;
  const remedy =
    `as root: sysctl -w net.core.rmem_max=${asked} net.core.wmem_max=${asked}, and to keep it install ` +
    'contrib/sysctl/90-adit.conf';
  return [{ problem, remedy }];
}

/** The soft limit of open files of this process; null where the system does not report it. */
export async function readOpenFileLimit(): Promise<number | null> {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? null : Number(limit);
  } catch {
    // Not Linux.
    return null;
  }
}
