import { z } from 'zod';
import type { AdminSource } from '../../admin/admin-source.ts';
import { healthRoutes } from '../../admin/health-routes.ts';
import { route, type Route } from '../../admin/route.ts';
import {
  agentFactsSchema,
  agentSchema,
  healthSchema,
  type AgentFacts,
  type AgentReport,
  type ObserverHealth,
} from './observer-schemas.ts';

export interface ObserverAdminSource extends AdminSource<ObserverHealth> {
  agents(): readonly AgentReport[];
  facts(pid: number): AgentFacts;
}

/** An observer's REST API. */
export function observerRoutes(source: ObserverAdminSource): readonly Route[] {
  return [
    ...healthRoutes(source, healthSchema),
    route({
      method: 'GET',
      path: '/api/v1/agents',
      summary: 'Every pid that is watched.',
      access: 'token',
      body: z.array(agentSchema).readonly(),
      refusals: [],
      handle: () => ({ status: 200, body: source.agents() }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/agents/{pid}/why',
      summary: 'What explains why a pid is silent. `adit why` puts it into words.',
      access: 'token',
      body: agentFactsSchema,
      refusals: [400],
      handle(text) {
        const pid = /^\d{1,10}$/.test(text) ? Number(text) : null;
        if (pid === null) return { status: 400, error: 'not a pid', errorCode: 'invalid_pid' };
        return { status: 200, body: source.facts(pid) };
      },
    }),
  ];
}
