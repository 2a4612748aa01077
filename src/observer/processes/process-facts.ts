import { readFileSync, readlinkSync } from 'node:fs';

const cachedForNs = 1e9;
const pidMaxForNs = 60e9;
/** More than a table has slots. */
const maxCached = 8192;
/** The largest that Linux can be set to. */
const largestPidMax = 4_194_304;

type Namespace = bigint | 'gone' | 'hidden';

/** What /proc says of processes. */
export class ProcessFacts {
  readonly #namespaces = new Map<number, { readonly namespace: Namespace; readonly untilNs: number }>();
  #pidMax = { value: largestPidMax, untilNs: -1 };

  /** The inode of a process's PID namespace, at most a second old: reading it takes longer than all else of a beat. */
  namespaceOf(pid: number, nowNs: number): Namespace {
    const cached = this.#namespaces.get(pid);
    if (cached !== undefined && nowNs < cached.untilNs) return cached.namespace;
    const namespace = readNamespace(String(pid));
    if (this.#namespaces.size >= maxCached) this.#namespaces.clear();
    this.#namespaces.set(pid, { namespace, untilNs: nowNs + cachedForNs });
    return namespace;
  }

  /** Null when it cannot be read. */
  ownNamespace(): bigint | null {
    const namespace = readNamespace('self');
    return typeof namespace === 'bigint' ? namespace : null;
  }

  /** In clock ticks since boot (proc_pid_stat(5), field 22); null when the process is gone. */
  startTimeOf(pid: number): number | null {
    const stat = read(`/proc/${pid}/stat`);
    // The name in parentheses may hold blanks and parentheses itself.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    const startTime = Number(fields?.[19]);
    return Number.isFinite(startTime) ? startTime : null;
  }

  /** The largest pid that the kernel gives, at most a minute old; the largest possible when it cannot be read. */
  pidMax(nowNs: number): number {
    if (nowNs >= this.#pidMax.untilNs) {
      const value = Number(read('/proc/sys/kernel/pid_max'));
      this.#pidMax = { value: value > 0 ? value : largestPidMax, untilNs: nowNs + pidMaxForNs };
    }
    return this.#pidMax.value;
  }
}

function readNamespace(pid: string): Namespace {
  try {
    const link = readlinkSync(`/proc/${pid}/ns/pid`);
    return BigInt(/\[(\d+)\]/.exec(link)?.[1] ?? 0);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ESRCH' ? 'gone' : 'hidden';
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // The process has ended, or /proc is not there: both are answers here.
    return null;
  }
}
