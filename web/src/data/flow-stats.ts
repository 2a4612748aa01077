/** What an edge's stats say of one media flow. */
export interface FlowStats {
  readonly health: 'Healthy' | 'Warning' | 'Error' | 'Critical';
  readonly running: boolean;
  readonly problem: string | null;
  readonly inputState: string | null;
  readonly bitsPerSecond: number;
  /** Since the flow started; null where the stream is not analysed. */
  readonly continuityErrors: number | null;
  readonly outputs: readonly FlowOutputStats[];
}

export interface FlowOutputStats {
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly bitsPerSecond: number;
}

/** Reads the stats of an edge for a flow; null where they have none of it. What it cannot have sent is left out. */
export function readFlowStats(stats: Readonly<Record<string, unknown>> | null, flowId: string): FlowStats | null {
  const flows = stats?.['flows'];
  const flow = Array.isArray(flows) ? flows.map(asRecord).find((each) => each?.['flow_id'] === flowId) : undefined;
  if (flow == null) return null;
  const input = asRecord(flow['input']);
  const errors = asRecord(flow['tr101290'])?.['continuity_errors'];
  return {
    health: healths.find((health) => health === flow['health']) ?? 'Error',
    running: flow['state'] === 'Running',
    problem: textOf(flow['problem']),
    inputState: textOf(input?.['state']),
    bitsPerSecond: numberOf(input?.['bitrate_bps']),
    continuityErrors: typeof errors === 'number' ? errors : null,
    outputs: listOf(flow['outputs']).map((output) => ({
      id: textOf(output['output_id']) ?? '',
      type: textOf(output['output_type']) ?? '',
      state: textOf(output['state']) ?? '',
      bitsPerSecond: numberOf(output['bitrate_bps']),
    })),
  };
}

const healths = ['Healthy', 'Warning', 'Error', 'Critical'] as const;

function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(asRecord).filter((each) => each !== null) : [];
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
