import { z } from 'zod';
import { roleAllows } from '../access/roles.ts';
import { apiRoute, type ApiRoute } from './api-route.ts';
import type { ApiParts } from './api-parts.ts';
import { wantedConfig } from './wanted-config.ts';
import { withoutSecrets } from './without-secrets.ts';
import { Refusal } from './refusal.ts';
import { flagSchema } from './query.ts';
import { listOf, timeSchema } from '../views/common.ts';
import { legSchema, nodeDetailSchema, nodeStatsSchema } from '../views/nodes.ts';
import { legNames } from './leg-names.ts';
import { legWire, nodeDetailWire } from '../views/wire.ts';

const nothing = z.object({});
/** Bytes of a command's action as JSON. */
const mostCommandBytes = 50_000;
/** The commands that an operator may send to a node; others need an administrator. */
const readingCommands = /^(get_config|list_\w+)$/;

/** Commands to one node, and its replies. */
export function nodeActionRoutes(parts: ApiParts): readonly ApiRoute[] {
  return [...readingRoutes(parts), ...secretRoutes(parts), ...linkRoutes(parts), commandRoute(parts)];
}

function readingRoutes({ fleet, mirror, history }: ApiParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: 'nodes/{id}/stats',
      summary: 'The last stats frame, and ten minutes of the figures that the page draws.',
      access: 'viewer',
      answer: nodeStatsSchema,
      async handle({ params }) {
        const id = params['id'] ?? '';
        const [latest] = await Promise.all([fleet.nodes.stats(id), fleet.nodes.get(id)]);
        return { body: { at: latest?.at ?? null, stats: asObject(latest?.payload), history: [...history.of(id)] } };
      },
    }),
    apiRoute({
      method: 'GET',
      path: 'nodes/{id}/legs',
      summary: 'What the node must hold, with the push state of each.',
      access: 'viewer',
      answer: listOf(legSchema),
      async handle({ params }) {
        const id = params['id'] ?? '';
        const [legs, nodes] = [await fleet.nodes.legs(id), await mirror.nodes()];
        const names = await legNames(fleet, legs);
        return { body: { items: legs.map((leg) => legWire(leg, names.get(leg.id) ?? leg.id, nodes)), next: null } };
      },
    }),
    apiRoute({
      method: 'GET',
      path: 'nodes/{id}/config',
      summary: 'The config that the node runs now, asked from it, beside what the manager wants; without secrets.',
      access: 'operator',
      answer: z.object({ config: z.unknown(), wanted: z.record(z.string(), z.unknown()) }),
      async handle({ params }) {
        const id = params['id'] ?? '';
        const [config, wanted] = await Promise.all([fleet.nodes.config(id), wantedConfig(fleet, id)]);
        return { body: { config: withoutSecrets(config), wanted } };
      },
    }),
  ];
}

function secretRoutes({ fleet, mirror }: ApiParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'POST',
      path: 'nodes/{id}/token',
      summary: 'A new registration token, shown this once; the present secret stays valid until the new one is used.',
      access: 'admin',
      body: nothing,
      answer: z.object({ registration_token: z.string(), expires_at: timeSchema }),
      status: 201,
      async handle({ params, actor }) {
        const id = params['id'] ?? '';
        const answer = await fleet.nodes.newToken(id, actor);
        mirror.markChanged([id]);
        return { body: answer };
      },
    }),
    apiRoute({
      method: 'POST',
      path: 'nodes/{id}/rotate-secret',
      summary: 'A new secret for the node. 202: it did not confirm; whichever secret it uses next is accepted.',
      access: 'admin',
      query: z.object({ revoke_previous: flagSchema.optional() }),
      body: nothing,
      answer: z.object({ outcome: z.enum(['acknowledged', 'unconfirmed']) }),
      also: [202],
      async handle({ params, query, actor }) {
        const answer = await fleet.nodes.rotateSecret(params['id'] ?? '', query.revoke_previous ?? false, actor);
        return { status: answer.outcome === 'acknowledged' ? 200 : 202, body: answer };
      },
    }),
  ];
}

function linkRoutes({ fleet, mirror, flaps }: ApiParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'POST',
      path: 'nodes/{id}/disable',
      summary: 'Closes the link and refuses the node; `disabled: false` lets it in again.',
      access: 'admin',
      body: z.object({ disabled: z.boolean().default(true) }),
      answer: nodeDetailSchema,
      async handle({ params, body, actor }) {
        const node = await fleet.nodes.setDisabled(params['id'] ?? '', body.disabled, actor);
        mirror.markChanged([node.id]);
        return { body: nodeDetailWire(node, (await flaps.counts()).get(node.id) ?? 0), generation: node.generation };
      },
    }),
    apiRoute({
      method: 'POST',
      path: 'nodes/{id}/disconnect',
      summary: 'Closes the link; the node connects again.',
      access: 'admin',
      body: nothing,
      answer: nothing,
      async handle({ params, actor }) {
        await fleet.nodes.disconnect(params['id'] ?? '', actor);
        return { body: {} };
      },
    }),
    apiRoute({
      method: 'POST',
      path: 'nodes/{id}/reconcile',
      summary: 'Fetches the config of the node and compares it now.',
      access: 'operator',
      body: nothing,
      answer: nothing,
      async handle({ params, actor }) {
        await fleet.nodes.reconcile(params['id'] ?? '', actor);
        return { body: {} };
      },
    }),
    apiRoute({
      method: 'POST',
      path: 'nodes/{id}/drain',
      summary: 'Moves the tunnels with automatic placement away from a relay, make-before-break; false takes it back.',
      access: 'operator',
      body: z.object({ drain: z.boolean().default(true) }),
      answer: z.object({
        moved: z.array(z.string()),
        kept: z.array(z.object({ tunnel_id: z.string(), reason: z.string() })),
      }),
      async handle({ params, body, actor }) {
        const id = params['id'] ?? '';
        const { moved, kept } = await fleet.nodes.setDraining(id, body.drain, actor);
        mirror.markChanged([id]);
        return { body: { moved: [...moved], kept: [...kept] } };
      },
    }),
  ];
}

function commandRoute({ fleet }: ApiParts): ApiRoute {
  return apiRoute({
    method: 'POST',
    path: 'nodes/{id}/command',
    summary: 'Sends a command to the node. `get_config` and lists: operator; everything else: admin.',
    access: 'operator',
    body: z.object({ action: z.looseObject({ type: z.string().min(1).max(100) }) }),
    answer: z.object({
      success: z.boolean(),
      data: z.unknown().optional(),
      error: z.string().optional(),
      error_code: z.string().optional(),
    }),
    async handle({ params, body: { action }, actor, identity }) {
      const least = readingCommands.test(action.type) ? 'operator' : 'admin';
      if (identity === null || !roleAllows(identity.role, least)) {
        throw new Refusal(403, 'insufficient_role', `${action.type} needs the role ${least}.`, {
          required_role: least,
        });
      }
      if (action.type === 'rotate_secret') {
        throw new Refusal(422, 'invalid', 'rotate_secret has its own route: it must be stored before it is sent.');
      }
      if (Buffer.byteLength(JSON.stringify(action)) > mostCommandBytes) {
        throw new Refusal(413, 'too_large', `The action is larger than ${mostCommandBytes} bytes.`);
      }
      const answer = await fleet.nodes.command(params['id'] ?? '', action, actor);
      return { body: { ...answer, ...('data' in answer && { data: withoutSecrets(answer.data) }) } };
    },
  });
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
