import { describeCommit, describeMachine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { Recorder, type Results } from './report/results.ts';

export interface Rounds {
  readonly recorder: Recorder;
  readonly discarded: number;
  /** What results say of when and where they were measured. */
  readonly origin: Pick<Results, 'date' | 'commit' | 'machine' | 'rounds' | 'discardedRounds' | 'seconds'>;
}

/** Measures in rounds, of which the first does not count where the options say so. `measure` fills the recorder. */
export async function inRounds(
  options: BenchOptions,
  say: (line: string) => void,
  measure: (recorder: Recorder, round: number) => Promise<void>,
): Promise<Rounds> {
  const startMs = performance.now();
  const [date, commit, machine] = [new Date().toISOString(), describeCommit(), describeMachine()];
  const recorder = new Recorder();
  const discarded = options.discardFirst ? 1 : 0;
  for (let round = 1; round <= options.rounds + discarded; round += 1) {
    say(`round ${round} of ${options.rounds + discarded}${round <= discarded ? ', not counted' : ''}`);
    recorder.beginRound();
    await measure(recorder, round);
  }
  const seconds = (performance.now() - startMs) / 1000;
  return {
    recorder,
    discarded,
    origin: { date, commit, machine, rounds: options.rounds, discardedRounds: discarded, seconds },
  };
}
