import { z } from 'zod';

const number = z.number().nullable().catch(null).default(null);

const frameSchema = z.object({
  active_tunnels: number,
  connected_edges: number,
  total_bytes_forwarded: number,
  tunnels: z
    .array(
      z.object({
        state: z.string().nullable().catch(null).default(null),
        stats: z
          .object({ bitrate_in_bps: number, bitrate_out_bps: number })
          .catch({ bitrate_in_bps: null, bitrate_out_bps: null })
          .default({ bitrate_in_bps: null, bitrate_out_bps: null }),
      }),
    )
    .catch([])
    .default([]),
});

export interface StatsFigures {
  readonly bytes_per_sec: number | null;
  readonly tunnels: number | null;
  readonly peers: number | null;
  /** A relay's lifetime total; its rate is the difference of two. */
  readonly totalBytes: number | null;
}

/** The figures of a stats frame that charts draw, of relays and edges. Null where the frame has none. */
export function statsFigures(payload: unknown): StatsFigures {
  const frame = frameSchema.safeParse(payload);
  if (!frame.success) return { bytes_per_sec: null, tunnels: null, peers: null, totalBytes: null };
  const { active_tunnels, connected_edges, total_bytes_forwarded, tunnels } = frame.data;
  const bits = tunnels.reduce<number | null>((sum, { stats }) => {
    if (stats.bitrate_in_bps === null && stats.bitrate_out_bps === null) return sum;
    return (sum ?? 0) + (stats.bitrate_in_bps ?? 0) + (stats.bitrate_out_bps ?? 0);
  }, null);
  const ready = tunnels.filter(({ state }) => state === 'ready').length;
  return {
    bytes_per_sec: bits === null ? null : bits / 8,
    tunnels: active_tunnels ?? (tunnels.length > 0 ? ready : null),
    peers: connected_edges,
    totalBytes: total_bytes_forwarded,
  };
}
