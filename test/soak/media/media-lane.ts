import type { FlowStatsReport } from '../../../src/edge/admin/flow-schemas.ts';
import type { SeededRandom } from '../../support/fakes/seeded-random.ts';

/** One flow of the soak with the programs at its ends. */
export interface MediaLane extends AsyncDisposable {
  readonly id: string;
  /** As in edge.json, without `id` and `name`. */
  readonly flow: Readonly<Record<string, unknown>>;
  /** Connections that one part of the flow may have at the same time; a viewer that was killed counts for a while. */
  readonly places: number;
  /** Programs that were started so far. */
  readonly starts: number;
  /** Starts the programs at the flow's ends. */
  start(): Promise<void>;
  /** Ends one of them, by SIGTERM or SIGKILL, and starts it again after a while. */
  restart(random: SeededRandom): Promise<void>;
  /** Looks at what has come out since the last call. Throws on a byte that nobody has sent. */
  check(): void;
  /** What is wrong with the counters of this flow at the end. */
  faults(report: FlowStatsReport): string[];
  /** For the table: what came out. */
  describe(): string;
}

/** How a program ends: it says so, or it does not. */
export function anyEnd(random: SeededRandom): NodeJS.Signals {
  return random.float() < 0.5 ? 'SIGTERM' : 'SIGKILL';
}
