import { monitorEventLoopDelay } from 'node:perf_hooks';
import { KernelDrops } from '../network/kernel-drops.ts';

/** What the machine did to a trial: a gap that it explains is not the flow's. */
export interface TrialMachine {
  /** Datagrams that the kernel threw away on the trial's ports. */
  readonly kernelDrops: number;
  /** The path of the trial runs in this process: a stall that comes near the latency is an outage of the path. */
  readonly longestStallMs: number;
}

/** Watches the machine while a trial runs. */
export class MachineWatch {
  readonly #kernel: KernelDrops;
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });

  /** `ports` are the local UDP ports of the trial. */
  constructor(ports: readonly number[]) {
    this.#kernel = new KernelDrops(ports);
    this.#delay.enable();
  }

  /** To be called now and then. */
  look(): void {
    this.#kernel.look();
  }

  get result(): TrialMachine {
    return { kernelDrops: this.#kernel.total, longestStallMs: Math.round(this.#delay.max / 1e6) };
  }
}
