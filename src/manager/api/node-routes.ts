import { z } from 'zod';
import type { NodeView } from '../fleet.ts';
import { apiRoute, type ApiRoute } from './api-route.ts';
import type { ApiParts } from './api-parts.ts';
import { present } from './present-fields.ts';
import { flagSchema, pageQuerySchema } from './query.ts';
import { Refusal } from './refusal.ts';
import { listOf, timeSchema } from '../views/common.ts';
import { nodeDetailSchema, nodeKindSchema, nodeSchema, nodeStateSchema } from '../views/nodes.ts';
import { nameSchema } from './session-routes.ts';
import { nodeDetailWire, nodeWire } from '../views/wire.ts';

const newNodeSchema = z.object({
  name: nameSchema,
  kind: nodeKindSchema.optional(),
  description: z.string().max(1_000).optional(),
  region: z.string().max(100).nullable().optional(),
  public_addr: z.string().max(300).nullable().optional(),
  max_tunnels: z.int().min(0).max(1_000_000).nullable().optional(),
  expires_at: timeSchema.min(0).nullable().optional(),
});

const addedNodeSchema = nodeDetailSchema.extend({
  /** Shown once, valid for 24 h. */
  registration_token: z.string(),
  /** The `manager` object for the node's config file. */
  manager_config: z.record(z.string(), z.unknown()),
});

/** The list of nodes, one node, and writes to them. */
export function nodeRoutes(parts: ApiParts): readonly ApiRoute[] {
  const { fleet, mirror } = parts;
  const detail = async (node: NodeView) => {
    mirror.markChanged([node.id]);
    return { body: nodeDetailWire(node, (await parts.flaps.counts()).get(node.id) ?? 0), generation: node.generation };
  };
  return [
    listRoute(parts),
    apiRoute({
      method: 'GET',
      path: 'nodes/{id}',
      summary: 'One node.',
      access: 'viewer',
      answer: nodeDetailSchema,
      handle: async ({ params }) => detail(await fleet.nodes.get(params['id'] ?? '')),
    }),
    apiRoute({
      method: 'POST',
      path: 'nodes',
      summary: 'Adds a node; the registration token is shown this once.',
      access: 'admin',
      body: newNodeSchema,
      answer: addedNodeSchema,
      status: 201,
      async handle({ body, actor, origin }) {
        const { node, registration_token } = await fleet.nodes.create(present(body), actor);
        const manager_config = managerConfigOf(parts, origin, registration_token);
        const { body: added } = await detail(node);
        return { body: { ...added, registration_token, manager_config } };
      },
    }),
    apiRoute({
      method: 'PATCH',
      path: 'nodes/{id}',
      summary: 'Changes what the manager knows of a node.',
      access: 'admin',
      body: newNodeSchema.partial(),
      answer: nodeDetailSchema,
      handle: async ({ params, body, generation, actor }) =>
        detail(await fleet.nodes.patch(params['id'] ?? '', present(body), generation, actor)),
    }),
    apiRoute({
      method: 'DELETE',
      path: 'nodes/{id}',
      summary: 'Deletes a node; 409 while tunnels or flows use it, unless `force` removes those too.',
      access: 'admin',
      query: z.object({ force: flagSchema.optional() }),
      answer: z.object({}),
      async handle({ params, query, generation, actor }) {
        const id = params['id'] ?? '';
        if (generation !== null && (await fleet.nodes.get(id)).generation !== generation) {
          throw new Refusal(412, 'stale', 'The node has changed meanwhile; read it again.');
        }
        await fleet.nodes.remove(id, query.force ?? false, actor);
        mirror.markChanged([id]);
        return { body: {} };
      },
    }),
  ];
}

function listRoute({ mirror, flaps }: ApiParts): ApiRoute {
  return apiRoute({
    method: 'GET',
    path: 'nodes',
    summary: 'Nodes by name, filtered by state, kind and a part of name, address, version or region.',
    access: 'viewer',
    query: pageQuerySchema.extend({ state: nodeStateSchema.optional(), kind: nodeKindSchema.optional() }),
    answer: listOf(nodeSchema),
    async handle({ query: { limit, after, q, state, kind } }) {
      const [nodes, counts] = [await mirror.nodes(), await flaps.counts()];
      const wanted = q?.toLowerCase();
      const matching = Array.from(nodes.values()).filter(
        (node) =>
          (state === undefined || node.state === state) &&
          (kind === undefined || node.kind === kind) &&
          (wanted === undefined || mentions(node, wanted)),
      );
      const sorted = matching
        .map((node) => ({ node, key: sortKey(node) }))
        .sort((one, other) => order(one.key, other.key));
      const from = after === undefined ? 0 : sorted.findIndex(({ key }) => order(key, after) > 0);
      const page = from < 0 ? [] : sorted.slice(from, from + limit);
      const last = page.at(-1);
      const more = from >= 0 && from + limit < sorted.length && last !== undefined;
      return {
        body: { items: page.map(({ node }) => nodeWire(node, counts.get(node.id) ?? 0)), next: more ? last.key : null },
      };
    },
  });
}

/** `q` in lower case. */
function mentions(node: NodeView, q: string): boolean {
  const text = [
    node.name,
    node.id,
    node.description,
    node.region,
    node.remote_addr,
    node.public_addr,
    node.software_version,
  ];
  return text.some((part) => part?.toLowerCase().includes(q) ?? false);
}

/** Unique, and in the order of the list. */
function sortKey({ name, id }: NodeView): string {
  return `${name.toLowerCase().slice(0, 300)} ${id}`;
}

function order(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function managerConfigOf(
  { config, certificateFingerprint }: ApiParts,
  origin: string,
  token: string,
): Record<string, unknown> {
  const url = new URL('/ws/node', config.public_url ?? origin);
  url.protocol = 'wss:';
  const pinned = config.tls_cert_path === null;
  return {
    enabled: true,
    urls: [url.href],
    ...(pinned && { accept_self_signed_cert: true, cert_fingerprint: certificateFingerprint }),
    registration_token: token,
  };
}
