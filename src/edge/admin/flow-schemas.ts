import { z } from 'zod';
import { pastEventSchema } from '../../admin/past-event.ts';

const count = z.int().min(0);
const text = z.string();
const srtStats = z.record(text, z.union([z.number(), text])).readonly();

const inputSchema = z.object({
  input_type: text,
  state: text,
  mode: text.optional(),
  local_addr: text.optional(),
  remote_addr: text.optional(),
  listen_addr: text.optional(),
  rtsp_url: text.optional(),
  whep_url: text.optional(),
  packets_received: count,
  bytes_received: count,
  bitrate_bps: z.number().min(0),
  packets_lost: count,
  packets_filtered: count,
  redundancy_switches: count,
  duplicates: count.optional(),
  recovered_by_other_leg: count.optional(),
  refused: count.optional(),
  last_problem: text.optional(),
  legs: z
    .array(z.object({ leg: count, silent_secs: count.nullable() }))
    .readonly()
    .optional(),
  srt_stats: srtStats.optional(),
  srt_leg2_stats: srtStats.optional(),
});

const outputSchema = z.object({
  output_id: text,
  output_name: text,
  output_type: text,
  state: text,
  mode: text.optional(),
  local_addr: text.optional(),
  remote_addr: text.optional(),
  packets_sent: count,
  bytes_sent: count,
  bitrate_bps: z.number().min(0),
  packets_dropped: count,
  viewers: count.optional(),
  whip_url: text.optional(),
  segments_sent: count.optional(),
  segments_missing: count.optional(),
  last_problem: text.optional(),
  srt_stats: srtStats.optional(),
});

const analysisSchema = z.object({
  protocol: text,
  programs: z
    .array(
      z.object({
        program_number: count,
        pmt_pid: count,
        streams: z.array(z.object({ pid: count, kind: text, codec: text })).readonly(),
      }),
    )
    .readonly(),
  bitrate_bps: z.number().min(0),
});

/** A media flow, as in the `stats` that a manager gets. */
export const flowStatsSchema = z.object({
  flow_id: text,
  flow_name: text,
  state: z.enum(['Idle', 'Running']),
  uptime_secs: count,
  health: z.enum(['Healthy', 'Warning', 'Error', 'Critical']),
  /** Why it does not run although it should. */
  problem: text.nullable(),
  input: inputSchema.nullable(),
  outputs: z.array(outputSchema).readonly(),
  tr101290: z.record(text, count).optional(),
  media_analysis: analysisSchema.optional(),
});

/** Everything that explains why a flow carries media, badly, or none. */
export const flowFactsSchema = z.object({
  flow: flowStatsSchema,
  at: z.iso.datetime({ offset: true }),
  /** Of this flow, oldest first, the latest few. */
  events: z.array(pastEventSchema).readonly(),
});

export type FlowStatsReport = z.output<typeof flowStatsSchema>;
export type FlowFacts = z.output<typeof flowFactsSchema>;
