import { z } from 'zod';
import { AccessError } from '../access/access-error.ts';
import { audit } from '../access/audited.ts';
import { newId } from '../access/new-id.ts';
import { newToken } from '../access/opaque-token.ts';
import { lostSecret, type WebhookRow } from '../store/access-schema.ts';
import type { WebhookDispatcher } from '../webhooks/webhook-dispatcher.ts';
import { webhookUrlProblem } from '../webhooks/webhook-post.ts';
import { webhookFilterSchema } from '../webhooks/webhook-trigger.ts';
import { apiRoute, type ApiRequest, type ApiRoute } from './api-route.ts';
import type { ApiParts } from './api-parts.ts';
import { present } from './present-fields.ts';
import { pageQuerySchema } from './query.ts';
import { webhookSchema, webhookTriggerSchema } from '../views/access.ts';
import { listOf } from '../views/common.ts';
import { nameSchema } from './session-routes.ts';

const fields = {
  name: nameSchema,
  url: z.string().min(1).max(2_000),
  triggers: z.array(webhookTriggerSchema).min(1).max(20),
};

type Parts = Pick<ApiParts, 'access' | 'clock' | 'random' | 'config'>;

export function webhookRoutes(parts: Parts, dispatcher: WebhookDispatcher): readonly ApiRoute[] {
  const { access, clock } = parts;
  const wire = async (hook: WebhookRow) => webhookWire(hook, await access.deliveries.latest());
  return [
    listRoute(parts),
    createRoute(parts, dispatcher),
    changeRoute(parts),
    apiRoute({
      method: 'DELETE',
      path: 'webhooks/{id}',
      summary: 'Deletes a webhook and its waiting calls.',
      access: 'admin',
      answer: z.object({}),
      async handle({ params, generation, actor }) {
        const hook = await found(parts, params['id']);
        await access.transaction(async (store) => {
          if (!(await store.webhooks.remove(hook.id, generation ?? undefined))) throw stale();
          await audit(store, actor, clock.now(), { action: 'webhook.delete', target: hook.name });
        });
        return { body: {} };
      },
    }),
    apiRoute({
      method: 'POST',
      path: 'webhooks/{id}/test',
      summary: 'Makes a test call.',
      access: 'admin',
      body: z.object({}),
      answer: webhookSchema,
      status: 202,
      async handle({ params }) {
        const hook = await found(parts, params['id']);
        await dispatcher.test(hook);
        return { body: await wire(hook) };
      },
    }),
  ];
}

function listRoute({ access }: Parts): ApiRoute {
  return apiRoute({
    method: 'GET',
    path: 'webhooks',
    summary: 'Webhooks by name, without their secrets.',
    access: 'admin',
    query: pageQuerySchema,
    answer: listOf(webhookSchema),
    async handle({ query: { limit, after, q } }) {
      const page = await access.webhooks.page({ limit, ...present({ after, q }) });
      const latest = await access.deliveries.latest();
      return { body: { items: page.items.map((hook) => webhookWire(hook, latest)), next: page.next } };
    },
  });
}

function createRoute({ access, clock, random, config }: Parts, dispatcher: WebhookDispatcher): ApiRoute {
  return apiRoute({
    method: 'POST',
    path: 'webhooks',
    summary: 'Makes a webhook; its signing secret is shown this once.',
    access: 'admin',
    body: z.object(fields),
    answer: webhookSchema.extend({ secret: z.string() }),
    status: 201,
    async handle({ body, actor }: ApiRequest<unknown, z.output<z.ZodObject<typeof fields>>>) {
      refuseUrl(body.url, config.webhooks.allow_private);
      const secret = newToken(random, 'whsec_');
      const now = clock.now();
      const id = newId(random);
      const hook = {
        ...{ id, name: body.name, url: body.url, secret_sealed: dispatcher.seal(id, secret), disabled_at: null },
        ...{ filter: JSON.stringify({ triggers: body.triggers }), generation: 1, created_at: now, updated_at: now },
      };
      await access.transaction(async (store) => {
        await store.webhooks.insert(hook);
        await audit(store, actor, now, { action: 'webhook.create', target: hook.name, after: body });
      });
      return { body: { ...webhookWire(hook, []), secret }, generation: hook.generation };
    },
  });
}

function changeRoute(parts: Parts): ApiRoute {
  const { access, clock, config } = parts;
  return apiRoute({
    method: 'PATCH',
    path: 'webhooks/{id}',
    summary: 'Changes a webhook, or disables it.',
    access: 'admin',
    body: z.object({ ...fields, enabled: z.boolean() }).partial(),
    answer: webhookSchema,
    async handle({ params, body, generation, actor }) {
      const before = await found(parts, params['id']);
      if (body.url !== undefined) refuseUrl(body.url, config.webhooks.allow_private);
      const { name, url, triggers, enabled } = body;
      if (enabled === true && before.secret_sealed === lostSecret) {
        const message = 'Its signing secret was lost with the master key. Delete it and make a new one.';
        throw new AccessError('invalid', message, [{ path: 'enabled', message }]);
      }
      const now = clock.now();
      const change = {
        ...present({ name, url }),
        ...(triggers !== undefined && { filter: JSON.stringify({ triggers }) }),
        ...(enabled !== undefined && { disabled_at: enabled ? null : now }),
        updated_at: now,
      };
      const hook = await access.transaction(async (store) => {
        const changed = await store.webhooks.change(before.id, change, generation ?? undefined);
        if (changed === null) throw stale();
        if (enabled === false) await store.deliveries.giveUp(changed.id, now, 'given up: the webhook was disabled');
        await audit(store, actor, now, { action: 'webhook.change', target: changed.name, after: body });
        return changed;
      });
      return { body: webhookWire(hook, await access.deliveries.latest()), generation: hook.generation };
    },
  });
}

function refuseUrl(url: string, allowPrivate: boolean): void {
  const problem = webhookUrlProblem(url, allowPrivate);
  if (problem === null) return;
  throw new AccessError('invalid', `The address ${problem}.`, [{ path: 'url', message: problem }]);
}

async function found({ access }: Parts, id: string | undefined): Promise<WebhookRow> {
  const hook = await access.webhooks.get(id ?? '');
  if (hook === null) throw new AccessError('not_found', `Webhook '${id ?? ''}' not found`);
  return hook;
}

type Latest = Awaited<ReturnType<ApiParts['access']['deliveries']['latest']>>;

function webhookWire(hook: WebhookRow, latest: Latest): z.input<typeof webhookSchema> {
  const { id, name, url, disabled_at, created_at } = hook;
  const filter = webhookFilterSchema.safeParse(JSON.parse(hook.filter));
  const last = latest.find(({ webhook_id }) => webhook_id === id);
  return {
    ...{
      id,
      name,
      url,
      triggers: filter.success ? filter.data.triggers : [],
      enabled: disabled_at === null,
      created_at,
    },
    last_delivery_at: last?.at ?? null,
    last_result: last === undefined ? null : (last.error ?? 'delivered'),
    waiting: last?.waiting ?? 0,
  };
}

function stale(): AccessError {
  return new AccessError('stale', 'The webhook has changed meanwhile; read it again');
}
