import { z } from 'zod';
import { flowHealthSchema } from '../views/flow-live.ts';

const number = z.number().nullable().catch(null).default(null);
const text = z.string().nullable().catch(null).default(null);

const flowSchema = z.object({
  flow_id: z.string(),
  /** A word that is not known is no reason to show a flow as well. */
  health: flowHealthSchema.catch('Error'),
  problem: text,
  input: z.object({ bitrate_bps: number }).nullable().catch(null).default(null),
  tr101290: z.object({ continuity_errors: number }).nullable().catch(null).default(null),
});

/** Most frames have no flows: one that fails to parse would cost an error each time. */
const frameSchema = z.object({ flows: z.array(z.unknown()).catch([]).default([]) });

export interface FlowFigures {
  readonly health: z.output<typeof flowHealthSchema>;
  /** Why it does not run although it should. */
  readonly problem: string | null;
  /** Of its input; null where nothing is reported. */
  readonly bitsPerSecond: number | null;
  /** Since the flow started; null where the stream is not analysed. */
  readonly continuityErrors: number | null;
}

/** The figures of each media flow in an edge's stats frame, by the flow's id on the node. */
export function flowFigures(payload: unknown): ReadonlyMap<string, FlowFigures> {
  const frame = frameSchema.safeParse(payload);
  if (!frame.success) return new Map();
  const flows = frame.data.flows.map((flow) => flowSchema.safeParse(flow).data).filter((flow) => flow !== undefined);
  return new Map(flows.map((flow) => [flow.flow_id, figuresOf(flow)]));
}

function figuresOf({ health, problem, input, tr101290 }: z.output<typeof flowSchema>): FlowFigures {
  return {
    ...{ health, problem, bitsPerSecond: input?.bitrate_bps ?? null },
    continuityErrors: tr101290?.continuity_errors ?? null,
  };
}
