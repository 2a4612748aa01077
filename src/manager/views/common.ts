import { z } from 'zod';

/** Milliseconds since the Unix epoch. */
export const timeSchema = z.int();

export const severitySchema = z.enum(['info', 'warning', 'critical']);

export const pushStatusSchema = z.enum(['pending', 'pushing', 'pushed', 'failed']);

/** What the node's own stats say about its end, beside the push status and never instead of it. */
export const runningStateSchema = z.enum(['ready', 'waiting', 'connecting', 'down', 'stopped', 'unknown']);

export const roleSchema = z.enum(['viewer', 'operator', 'admin']);

/** One page of a list. `next` goes into `?after=`; null on the last page. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}

/** Every answer that is not 2xx. `details` names each refused field. */
export const refusalSchema = z.object({
  error: z.string(),
  error_code: z.string(),
  details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  required_role: roleSchema.optional(),
});

export type Severity = z.output<typeof severitySchema>;
export type PushStatus = z.output<typeof pushStatusSchema>;
export type RunningState = z.output<typeof runningStateSchema>;
export type Role = z.output<typeof roleSchema>;
export type Refusal = z.output<typeof refusalSchema>;
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}
