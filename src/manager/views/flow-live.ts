import { z } from 'zod';
import { timeSchema } from './common.ts';

export const flowHealthSchema = z.enum(['Healthy', 'Warning', 'Error', 'Critical']);

/** How a flow runs, from the stats of its edge. Null figures were not reported. */
export const flowLiveSchema = z.object({
  id: z.string(),
  /** When the edge reported; null: it does not report this flow now. */
  at: timeSchema.nullable(),
  health: flowHealthSchema.nullable(),
  /** Why it does not run although it should. */
  problem: z.string().nullable(),
  bits_per_sec: z.number().nullable(),
  /** Since the flow started. */
  continuity_errors: z.number().nullable(),
  /** The recent past, oldest first: one entry of each list belongs together. */
  history: z.object({
    at: z.array(timeSchema),
    health: z.array(flowHealthSchema),
    bits_per_sec: z.array(z.number().nullable()),
    /** Continuity errors since the entry before. */
    new_errors: z.array(z.number().nullable()),
  }),
});

export type FlowLive = z.output<typeof flowLiveSchema>;
