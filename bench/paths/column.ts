import type { PathCase } from './cells.ts';
import type { FlowOutcome } from './media-flow.ts';
import type { PathProcess } from './path-process.ts';

/** What a column made of one case. */
export interface PathOutcome extends FlowOutcome {
  /** CPU of the relay in microseconds for each datagram that arrived; null where no relay is measured. */
  readonly relayCpuUs: number | null;
}

/** What columns have at hand. */
export interface PathsWorld {
  /** Temporary; gone after the run. */
  readonly folder: string;
  readonly paths: PathProcess;
  readonly cases: readonly PathCase[];
}

/** A column of the table: a way for media from one place to another. */
export interface PathColumn {
  readonly name: string;
  /** What it is, for the legend. */
  readonly description: string;
  /** Starts what it needs for all cases. Rejects when that fails. */
  start(world: PathsWorld): Promise<RunningColumn>;
}

export interface RunningColumn extends AsyncDisposable {
  /** Sends the media of this case over its path. Rejects when the way never came up. */
  run(pathCase: PathCase): Promise<PathOutcome>;
}
