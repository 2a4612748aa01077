import { z } from 'zod';
import { flowFactsSchema, flowStatsSchema, type FlowFacts } from '../../edge/admin/flow-schemas.ts';
import { AppError } from '../../lib/app-error.ts';
import type { ApiClient } from '../api-client.ts';

/** A media flow that `adit why` can explain. */
export interface NamedFlow {
  readonly id: string;
  readonly name: string;
}

/** The flows with this id or name, or all that the program has; none where it is no edge. */
export async function whichFlows(wanted: string | undefined, api: ApiClient): Promise<readonly NamedFlow[]> {
  const answer = await api.get('/api/v1/flows', z.array(flowStatsSchema));
  if (answer.kind === 'not-found') return [];
  const flows = answer.body.map(({ flow_id: id, flow_name: name }) => ({ id, name }));
  return wanted === undefined ? flows : flows.filter(({ id, name }) => id === wanted || name === wanted);
}

/** Rejects with AppError `input-invalid` for a flow that has just gone. */
export async function askFlowFacts(api: ApiClient, id: string): Promise<FlowFacts> {
  const answer = await api.get(`/api/v1/flows/${encodeURIComponent(id)}/why`, flowFactsSchema);
  if (answer.kind === 'ok') return answer.body;
  throw new AppError('input-invalid', `the edge at ${api.url} has no flow ${id}; adit status lists those it has`);
}
