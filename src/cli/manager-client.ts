import { z } from 'zod';
import { readySchema } from '../admin/health-routes.ts';
import { AppError } from '../lib/app-error.ts';
import { listOf } from '../manager/views/common.ts';
import { managerHealthSchema } from '../manager/views/health.ts';
import { nodeSchema } from '../manager/views/nodes.ts';
import { tunnelSchema, whySchema } from '../manager/views/tunnels.ts';
import { overviewSchema } from '../manager/views/watching.ts';
import type { ApiClient } from './api-client.ts';
import type { ManagerStatus } from './status/manager-status.ts';
import type { Finding } from './why/finding.ts';

/** Rows a request, as many as a manager gives. */
const pageRows = 500;
/** A fleet that is larger is for the page, not for a terminal. */
const mostRows = 5_000;
const fewestDigits = 4;

export interface ManagedTunnel {
  readonly tunnel_id: string;
  readonly name: string;
  readonly findings: readonly Finding[];
}

/** Whether it is a manager that answers there. */
export async function isManager(api: ApiClient): Promise<boolean> {
  const answer = await api.get('/health', z.looseObject({}));
  return answer.kind === 'ok' && managerHealthSchema.safeParse(answer.body).success;
}

export async function readManagerStatus(api: ApiClient): Promise<ManagerStatus> {
  const [health, readiness, overview, nodes, tunnels] = await Promise.all([
    ask(api, '/health', managerHealthSchema),
    ask(api, '/ready', readySchema),
    ask(api, '/api/v1/overview', overviewSchema),
    all(api, '/api/v1/nodes', nodeSchema),
    all(api, '/api/v1/tunnels', tunnelSchema),
  ]);
  return { url: api.url, health, readiness, overview, nodes, tunnels };
}

/** What the manager finds wrong with its tunnels, or with those of this name, id or beginning of an id. */
export async function explainAtManager(api: ApiClient, wanted: string | undefined): Promise<readonly ManagedTunnel[]> {
  const known = await all(api, '/api/v1/tunnels', tunnelSchema);
  const meant = known.filter(({ id, name }) => wanted === undefined || isMeant(id, name, wanted));
  if (meant.length === 0) {
    const problem = wanted === undefined ? 'has no tunnel' : `has no tunnel that is called ${wanted}`;
    throw new AppError('input-invalid', `the manager at ${api.url} ${problem}; adit status lists those it has`);
  }
  const answers: ManagedTunnel[] = [];
  for (const { id, name } of meant) {
    const { findings } = await ask(api, `/api/v1/tunnels/${id}/why`, whySchema);
    answers.push({ tunnel_id: id, name, findings });
  }
  return answers;
}

function isMeant(id: string, name: string, wanted: string): boolean {
  return name === wanted || (wanted.length >= fewestDigits && id.startsWith(wanted.toLowerCase()));
}

async function all<Item extends z.ZodType>(api: ApiClient, path: string, item: Item): Promise<z.output<Item>[]> {
  const rows: z.output<Item>[] = [];
  let after = '';
  do {
    const page = await ask(api, `${path}?limit=${pageRows}${after}`, listOf(item));
    rows.push(...page.items);
    after = page.next === null ? '' : `&after=${encodeURIComponent(page.next)}`;
  } while (after !== '' && rows.length < mostRows);
  return rows;
}

async function ask<Schema extends z.ZodType>(api: ApiClient, path: string, schema: Schema): Promise<z.output<Schema>> {
  const answer = await api.get(path, schema);
  if (answer.kind === 'ok') return answer.body;
  throw new AppError('input-invalid', `${api.url}${path} is not there: ${answer.message}`);
}
