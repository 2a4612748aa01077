import { readdirSync, readFileSync } from 'node:fs';

const kib = 1024;

export interface Memory {
  readonly rssBytes: number;
  /** The most that the process ever had. */
  readonly peakRssBytes: number;
}

/** User and system time of a machine's CPUs since it started, in ticks that only ratios use. */
export interface MachineTicks {
  readonly busy: number;
  readonly total: number;
}

/** Nanoseconds on a CPU: the first number of /proc/PID/task/TID/schedstat. Throws when the text is something else. */
export function parseSchedstat(text: string): number {
  const match = /^(\d+) \d+ \d+\s*$/.exec(text);
  if (match === null) throw new Error(`not a schedstat line: ${text}`);
  return Number(match[1]);
}

/** VmRSS and VmHWM of /proc/PID/status, which are in KiB whatever the size of a page. Throws when either is missing. */
export function parseStatus(text: string): Memory {
  const field = (name: string): number => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text);
    if (match === null) throw new Error(`no ${name} in a status file`);
    return Number(match[1]) * kib;
  };
  return { rssBytes: field('VmRSS'), peakRssBytes: field('VmHWM') };
}

/** The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. Throws when the text is something else. */
export function parseMachineStat(text: string): MachineTicks {
  const match = /^cpu +(\d+(?: \d+){7})/.exec(text);
  if (match?.[1] === undefined) throw new Error('not the start of /proc/stat');
  const ticks = match[1].split(' ').map(Number);
  const total = ticks.reduce((sum, count) => sum + count, 0);
  const [, , , idle = 0, ioWait = 0] = ticks;
  return { busy: total - idle - ioWait, total };
}

/** CPU nanoseconds of each thread of a process. Throws when there is no such process. */
export function readThreads(pid: number): Map<string, number> {
  const threads = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const text = readIfThere(`/proc/${pid}/task/${thread}/schedstat`);
    if (text !== null) threads.set(thread, parseSchedstat(text));
  }
  return threads;
}

/** Throws when there is no such process. */
export function readMemory(pid: number): Memory {
  return parseStatus(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

export function readMachineTicks(): MachineTicks {
  return parseMachineStat(readFileSync('/proc/stat', 'utf8'));
}

/** A thread may end between being listed and being read. */
function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return null;
    throw error;
  }
}
