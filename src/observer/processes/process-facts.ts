import { readFileSync, readlinkSync } from 'node:fs';

const cachedForNs = 1e9;
const pidMaxForNs = 60e9;
/** More than a table has slots. */
const maxCached = 8192;
/** Each is a descriptor: few of those that a process may have. */
const maxHandles = 512;
const sweepEveryNs = 10e9;
/** The largest that Linux can be set to. */
const largestPidMax = 4_194_304;

type Namespace = bigint | 'gone' | 'hidden';

/** What stands for one process, also after its pid was given to another one. */
export interface ProcessHandles {
  open(pid: number): number | null;
  isRunning(handle: number): boolean;
  close(handle: number): void;
}

interface KnownNamespace {
  readonly namespace: Namespace;
  /** Of the process that had the pid when the namespace was read. */
  readonly handle: number | null;
  untilNs: number;
}

/** What /proc says of processes. */
export class ProcessFacts {
  readonly #namespaces = new Map<number, KnownNamespace>();
  #handles: ProcessHandles | null = null;
  #openHandles = 0;
  #sweptNs = 0;
  #pidMax = { value: largestPidMax, untilNs: -1 };

  /** With these, a namespace is not read again while its process runs: a process never changes to another one. */
  useHandles(handles: ProcessHandles): void {
    this.#handles = handles;
  }

  /** The inode of a process's PID namespace, at most a second old: reading it takes longer than all else of a beat. */
  namespaceOf(pid: number, nowNs: number): Namespace {
    const known = this.#namespaces.get(pid);
    if (known !== undefined) {
      if (nowNs < known.untilNs) return known.namespace;
      if (known.handle !== null && this.#handles?.isRunning(known.handle) === true) {
        known.untilNs = nowNs + cachedForNs;
        return known.namespace;
      }
      this.#forget(pid, known);
    }
    if (this.#namespaces.size >= maxCached) this.close();
    // First the handle: what is read after it belongs to its process for as long as that runs.
    const handle = this.#openHandle(pid, nowNs);
    const namespace = readNamespace(String(pid));
    this.#namespaces.set(pid, { namespace, handle, untilNs: nowNs + cachedForNs });
    return namespace;
  }

  /** Forgets all namespaces and closes the handles. */
  close(): void {
    for (const [pid, known] of this.#namespaces) this.#forget(pid, known);
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

  #openHandle(pid: number, nowNs: number): number | null {
    if (this.#openHandles >= maxHandles) this.#sweep(nowNs);
    if (this.#openHandles >= maxHandles) return null;
    const handle = this.#handles?.open(pid) ?? null;
    if (handle !== null) this.#openHandles += 1;
    return handle;
  }

  /** Closes the handles of processes that have ended. */
  #sweep(nowNs: number): void {
    if (nowNs < this.#sweptNs + sweepEveryNs) return;
    this.#sweptNs = nowNs;
    for (const [pid, known] of this.#namespaces) {
      if (known.handle !== null && this.#handles?.isRunning(known.handle) !== true) this.#forget(pid, known);
    }
  }

  #forget(pid: number, { handle }: KnownNamespace): void {
    this.#namespaces.delete(pid);
    if (handle === null) return;
    this.#openHandles -= 1;
    this.#handles?.close(handle);
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
