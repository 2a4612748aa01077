import type { FlowSettings } from '../../media/flow/flow-settings.ts';
import type { FlowReport } from '../../media/flow/flow-stats.ts';
import type { TsReport } from '../../media/mpegts/ts-analysis.ts';

/** A flow as the edge has it. */
export interface FlowEntry {
  settings: FlowSettings;
  /** The worker runs it. */
  running: boolean;
  startedMs: number;
  /** Why it does not run although it should; null otherwise. */
  problem: string | null;
  report: FlowReport | null;
  /** Continuity errors at the report before. */
  errorsBefore: number;
}

export type FlowHealth = 'Healthy' | 'Warning' | 'Error' | 'Critical';

/** One entry of `flows` in `stats` (docs/media-flows.md). */
export interface FlowStats {
  readonly flow_id: string;
  readonly flow_name: string;
  readonly state: 'Idle' | 'Running';
  readonly uptime_secs: number;
  readonly health: FlowHealth;
  readonly problem: string | null;
  readonly input: FlowReport['input'] | null;
  readonly outputs: FlowReport['outputs'];
  readonly tr101290?: TsReport['tr101290'];
  readonly media_analysis?: TsReport['media_analysis'];
}

export function flowStatsOf(entry: FlowEntry, nowMs: number): FlowStats {
  const { settings, running, report } = entry;
  return {
    flow_id: settings.id,
    flow_name: settings.name,
    state: running ? 'Running' : 'Idle',
    uptime_secs: running ? Math.floor((nowMs - entry.startedMs) / 1000) : 0,
    health: healthOf(entry),
    problem: entry.problem,
    input: report?.input ?? null,
    outputs: report?.outputs ?? [],
    ...report?.analysis,
  };
}

/** Critical: should run and does not. Error: nothing comes in. Warning: an output is alone, or packets are missing. */
function healthOf({ settings, running, problem, report, errorsBefore }: FlowEntry): FlowHealth {
  if (problem !== null) return 'Critical';
  if (!running || !settings.enabled) return 'Healthy';
  if (report === null || report.input.bitrate_bps === 0) return 'Error';
  const lonely = report.outputs.some(({ state }) => state === 'connecting');
  return lonely || errorsOf(report) > errorsBefore ? 'Warning' : 'Healthy';
}

export function errorsOf(report: FlowReport | null): number {
  return report?.analysis?.tr101290.continuity_errors ?? 0;
}
