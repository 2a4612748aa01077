import { z } from 'zod';

/** What `/health` answers. `program` tells a manager from a relay, an edge and an observer. */
export const managerHealthSchema = z.object({
  status: z.literal('ok'),
  program: z.literal('manager'),
  version: z.string(),
});
