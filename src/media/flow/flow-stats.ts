import type { TsReport } from '../mpegts/ts-analysis.ts';
import type { InputType } from './flow-settings.ts';

/** Counters of one SRT connection; names are those of the field's `stats` (docs/media-flows.md). */
export type SrtStats = Readonly<Record<string, number | string>>;

export interface InputStats {
  readonly input_type: InputType;
  readonly state: string;
  readonly mode?: string;
  readonly local_addr?: string;
  readonly remote_addr?: string;
  readonly listen_addr?: string;
  readonly rtsp_url?: string;
  readonly whep_url?: string;
  readonly packets_received: number;
  readonly bytes_received: number;
  readonly bitrate_bps: number;
  readonly packets_lost: number;
  readonly packets_filtered: number;
  readonly redundancy_switches: number;
  readonly duplicates?: number;
  readonly recovered_by_other_leg?: number;
  /** Connections that were not let in, and why the latest one was not, or cannot be read. */
  readonly refused?: number;
  readonly last_problem?: string;
  /** The legs of a protected input; `silent_secs` is null for one that has never delivered. */
  readonly legs?: readonly { readonly leg: number; readonly silent_secs: number | null }[];
  readonly srt_stats?: SrtStats;
  readonly srt_leg2_stats?: SrtStats;
}

export interface OutputStats {
  readonly output_id: string;
  readonly output_name: string;
  readonly output_type: string;
  readonly state: string;
  readonly mode?: string;
  readonly local_addr?: string;
  readonly remote_addr?: string;
  readonly packets_sent: number;
  readonly bytes_sent: number;
  readonly bitrate_bps: number;
  readonly packets_dropped: number;
  readonly viewers?: number;
  readonly whip_url?: string;
  readonly segments_sent?: number;
  /** Segments that never reached the server. */
  readonly segments_missing?: number;
  readonly last_problem?: string;
  readonly srt_stats?: SrtStats;
}

/** What the worker says of a running flow, once a second. */
export interface FlowReport {
  readonly flowId: string;
  readonly input: InputStats;
  readonly outputs: readonly OutputStats[];
  /** Null where the flow is not analysed. */
  readonly analysis: TsReport | null;
}
