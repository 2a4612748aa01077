import { availableParallelism, loadavg } from 'node:os';

/** Processes that want to run, for each core. */
const heavyLoad = 1.5;

/** The load of the last minute where processes wait for a core; null where there is room. */
export function heavyMachineLoad(): number | null {
  const load = loadavg()[0] ?? 0;
  return load > heavyLoad * availableParallelism() ? load : null;
}
