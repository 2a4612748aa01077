import { z } from 'zod';

/** What `/health` returns. `program` differs between manager, relay, edge and observer. */
export const managerHealthSchema = z.object({
  status: z.literal('ok'),
  program: z.literal('manager'),
  version: z.string(),
});
