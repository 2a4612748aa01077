import { faultsOf, packetBytes } from './cells.ts';
import type { PathColumn, PathsWorld, RunningColumn } from './column.ts';
import { MediaSink, runMediaFlow } from './media-flow.ts';
import { runPhases } from './phases.ts';

/** The same packets over the same path without a tunnel: as large as the tunnel's, so that every link treats them alike. */
export const bareColumn: PathColumn = {
  name: 'bare',
  description: 'the path alone: UDP packets as large as those of the tunnel',
  start: async ({ paths }: PathsWorld): Promise<RunningColumn> => {
    const sink = await MediaSink.open();
    return {
      async run(pathCase) {
        const { cell, rate, seed } = pathCase;
        const path = await paths.open({ target: sink.address, seed, faults: faultsOf(pathCase), impairs: 'all' });
        const flow = runMediaFlow({ to: path.address, sink, bytes: packetBytes(cell), rate });
        const [outcome] = await Promise.all([flow, runPhases(pathCase, path)]);
        await path.close();
        return { ...outcome, relayCpuUs: null };
      },
      [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
    };
  },
};
