import { useFlowLive } from '../data/flow-live.ts';
import { Badge } from '../parts/badge.tsx';
import { FlowTrace } from '../parts/flow-trace.tsx';
import { count, scaled } from '../words/format.ts';
import { flowHealthLooks, runningLooks } from '../words/status.ts';

/** Cells of a list of flows: what the edge reports of each now. */
export function FlowHealth({ id }: { id: string }) {
  const flow = useFlowLive(id);
  if (flow === undefined) return <span class="muted">…</span>;
  const look = flow.health === null ? runningLooks.unknown : flowHealthLooks[flow.health];
  return <Badge look={look} note={flow.problem ?? undefined} />;
}

export function FlowRate({ id }: { id: string }) {
  const rate = useFlowLive(id)?.bits_per_sec;
  return rate == null ? <span class="muted">—</span> : <>{scaled(rate, 'bit/s')}</>;
}

export function FlowErrors({ id }: { id: string }) {
  const errors = useFlowLive(id)?.continuity_errors;
  if (errors == null) return <span class="muted">—</span>;
  return <span class={errors > 0 ? 'number-alarm' : 'muted'}>{count(errors)}</span>;
}

export function FlowPast({ id }: { id: string }) {
  const flow = useFlowLive(id);
  return flow === undefined ? <span class="muted">…</span> : <FlowTrace flow={flow} />;
}
