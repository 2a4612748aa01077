import { pause } from './media-flow.ts';
import type { PathCase } from './cells.ts';
import type { BenchPath } from './path-process.ts';

/** Changes the path while media flows, as the cell says, from now on. Resolves with the last change. */
export async function runPhases({ cell }: PathCase, path: BenchPath): Promise<void> {
  let atSecs = 0;
  for (const { afterSecs, faults } of cell.later) {
    await pause((afterSecs - atSecs) * 1000);
    atSecs = afterSecs;
    await path.set({ up: faults, down: faults });
  }
}
