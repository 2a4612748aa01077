import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { readMachineTicks, readThreads, type MachineTicks } from './procfs.ts';

/** What a process used of the CPU between start and stop of a meter. */
export interface ProcessUse {
  readonly name: string;
  readonly cpuMs: number;
  /** Of its busiest thread, 1 = all the time on a CPU. */
  readonly busiestThread: number;
}

export interface CpuUse {
  readonly wallMs: number;
  readonly processes: readonly ProcessUse[];
  /** Of all CPUs together, whoever used them, 0 to 1. */
  readonly machineBusy: number;
}

/** Where a thread or the machine has no room left for more; below it something else sets the pace. */
const saturated = 0.9;
/** A process is at rest that uses less than 1 % of a CPU for as long. */
const restMs = 400;
const restShare = 0.01;
const restDeadlineMs = 20_000;

/** Measures user and system time of some processes, named for people. */
export class CpuMeter {
  readonly #pids: ReadonlyMap<string, number>;
  readonly #threads: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly #machine: MachineTicks = readMachineTicks();
  readonly #startMs = performance.now();

  constructor(pids: Readonly<Record<string, number>>) {
    this.#pids = new Map(Object.entries(pids));
    this.#threads = new Map([...this.#pids].map(([name, pid]) => [name, readThreads(pid)]));
  }

  read(): CpuUse {
    const wallMs = performance.now() - this.#startMs;
    const processes = [...this.#pids].map(([name, pid]) => {
      const before = this.#threads.get(name);
      const usedMs = [...readThreads(pid)].map(([thread, ns]) => (ns - (before?.get(thread) ?? 0)) / 1e6);
      const cpuMs = usedMs.reduce((sum, used) => sum + used, 0);
      return { name, cpuMs, busiestThread: Math.max(...usedMs) / wallMs };
    });
    const { busy, total } = readMachineTicks();
    const machineBusy = (busy - this.#machine.busy) / Math.max(1, total - this.#machine.total);
    return { wallMs, processes, machineBusy };
  }
}

/**
 * Resolves when a process is at rest. A program that has just started still loads what its first client does not wait
 * for, which is no part of a figure. Rejects when it is still busy after 20 seconds.
 */
export async function untilAtRest(pid: number): Promise<void> {
  const started = performance.now();
  while (performance.now() - started < restDeadlineMs) {
    const meter = new CpuMeter({ process: pid });
    await delay(restMs);
    const use = meter.read();
    if (cpuMsOf(use, 'process') < restShare * use.wallMs) return;
  }
  throw new Error(`process ${pid} is still busy ${restDeadlineMs / 1000} s after its start`);
}

/** User and system milliseconds of one of the meter's processes. */
export function cpuMsOf(use: CpuUse, name: string): number {
  const found = use.processes.find((process) => process.name === name);
  if (found === undefined) throw new Error(`the meter does not know ${name}`);
  return found.cpuMs;
}

/** What kept the measurement from going faster, for people. */
export function bottleneck({ processes, machineBusy }: CpuUse, cpus = availableParallelism()): string {
  const [busiest] = [...processes].sort((a, b) => b.busiestThread - a.busiestThread);
  if (busiest !== undefined && busiest.busiestThread >= saturated) {
    return `${busiest.name} (${percent(busiest.busiestThread)} of a CPU)`;
  }
  if (machineBusy >= saturated) return `machine (${cpus} CPUs ${percent(machineBusy)} busy)`;
  return 'none';
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
