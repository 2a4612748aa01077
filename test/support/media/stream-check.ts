import { SystemClock } from '../../../src/lib/clock.ts';
import { TsAnalysis } from '../../../src/media/mpegts/ts-analysis.ts';

export interface StreamCheck {
  readonly packets: number;
  readonly continuityErrors: number;
  readonly syncErrors: number;
  readonly codecs: readonly string[];
}

/** Looks at a whole transport stream that was received; a last packet that is not whole is left out. */
export function checkStream(bytes: Buffer): StreamCheck {
  const analysis = new TsAnalysis();
  const packets = Math.floor(bytes.length / 188);
  analysis.push(new SystemClock().monotonicMs() * 1000, bytes.subarray(0, packets * 188));
  const { continuity_errors: continuityErrors, sync_byte_errors: syncErrors } = analysis.counters;
  const { programs } = analysis.report(0).media_analysis;
  return {
    packets,
    continuityErrors,
    syncErrors,
    codecs: programs.flatMap(({ streams }) => streams.map(({ codec }) => codec)),
  };
}
