import { z } from 'zod';
import { EVENT_SEVERITIES } from '../protocol/node/node-event.ts';

/** An event that was raised, as REST returns it. */
export const pastEventSchema = z.object({
  at: z.iso.datetime({ offset: true }),
  kind: z.string(),
  severity: z.enum(EVENT_SEVERITIES),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).readonly(),
});

export type PastEvent = z.output<typeof pastEventSchema>;
