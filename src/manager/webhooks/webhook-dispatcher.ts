import { AppError } from '../../lib/app-error.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { rfc3339 } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import { newId } from '../access/new-id.ts';
import type { WebhookTrigger } from '../views/access.ts';
import type { Fleet } from '../fleet.ts';
import type { Sealing } from '../secrets/sealing.ts';
import type { WebhookDeliveryRow, WebhookRow } from '../store/access-schema.ts';
import type { AccessStore } from '../store/access-store.ts';
import type { EventRow } from '../store/schema.ts';
import { postWebhook, type WebhookCall, type WebhookOutcome } from './webhook-post.ts';
import { isByStop, isLinkGain, isLinkLoss, triggersOf, webhookFilterSchema } from './webhook-trigger.ts';

export interface WebhookDependencies {
  readonly fleet: Fleet;
  readonly store: AccessStore;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Replaced in tests. */
  readonly post?: (call: WebhookCall) => Promise<WebhookOutcome>;
}

export interface WebhookSettings {
  readonly allowPrivate: boolean;
  /** A node that is back before it is no news. */
  readonly graceMs: number;
}

/** Waits between attempts: ten of them within an hour. */
const retryDelaysMs = [10, 30, 60, 120, 240, 360, 480, 600, 720, 900].map((seconds) => seconds * 1_000);
const lookEveryMs = 1_000;
const callsAtOnce = 20;
/** A call that was taken by an instance that died is made by another after this. */
const claimMs = 60_000;
const keptMs = 7 * 86_400_000;
/** Critical events of a node about its link that are read to find the manager's own among them. */
const mostCritical = 20;
const secretPlace = (id: string) => ({ table: 'webhooks', column: 'secret_sealed', id });

/** Turns stored events into calls of webhooks, and makes those calls: signed, retried, each by one instance. */
export class WebhookDispatcher {
  readonly #dependencies: WebhookDependencies;
  readonly #settings: WebhookSettings;
  readonly #lost = new Map<string, Timer>();
  /** Nodes that this instance has reported as gone. */
  readonly #reported = new Set<string>();
  readonly #claimant: string;
  #timer: Timer | null = null;
  #unsubscribe: (() => void) | null = null;
  #busy = false;

  constructor(dependencies: WebhookDependencies, settings: WebhookSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#claimant = newId(dependencies.random);
  }

  start(): void {
    const { fleet, clock } = this.#dependencies;
    this.#unsubscribe = fleet.subscribe({ eventsStored: (events) => events.forEach((event) => this.#stored(event)) });
    this.#timer = clock.setInterval(() => void this.#look(), lookEveryMs);
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#timer?.cancel();
    for (const timer of this.#lost.values()) timer.cancel();
    this.#lost.clear();
  }

  /** A call that only shows that the address works. */
  async test(webhook: WebhookRow): Promise<void> {
    await this.#queue([webhook], 'test', { message: 'This is a test call.' });
  }

  seal(id: string, secret: string): string {
    return this.#dependencies.sealing.seal(secret, secretPlace(id));
  }

  #stored(event: EventRow): void {
    if (isLinkLoss(event)) this.#nodeLost(event);
    if (isLinkGain(event)) this.#nodeBack(event);
    for (const trigger of triggersOf(event)) void this.#fire(trigger, event);
  }

  #nodeLost(event: EventRow): void {
    const { node_id } = event;
    if (node_id === null) return;
    this.#lost.get(node_id)?.cancel();
    const timer = this.#dependencies.clock.setTimeout(
      () => void this.#graceOver(node_id, event),
      this.#settings.graceMs,
    );
    this.#lost.set(node_id, timer);
  }

  async #graceOver(nodeId: string, event: EventRow): Promise<void> {
    this.#lost.delete(nodeId);
    const node = await this.#dependencies.fleet.nodes.get(nodeId).catch(() => null);
    // It may have come back on another instance.
    if (node?.state === 'online') return;
    this.#reported.add(nodeId);
    await this.#fire('node_offline', event);
  }

  #nodeBack(event: EventRow): void {
    const { node_id } = event;
    if (node_id === null) return;
    this.#lost.get(node_id)?.cancel();
    this.#lost.delete(node_id);
    if (this.#reported.delete(node_id)) void this.#fire('node_online', event);
    else void this.#backFromElsewhere(node_id, event);
  }

  /** Another instance, or this one before its restart, has reported that the node was gone. */
  async #backFromElsewhere(nodeId: string, event: EventRow): Promise<void> {
    const { store, fleet, logger } = this.#dependencies;
    try {
      // A whole fleet may come back at once: nothing more is read unless somebody wants to know.
      if (!(await store.webhooks.all()).some((hook) => isWanted(hook, 'node_online'))) return;
      const before = { nodeId, category: 'connection', severity: 'critical' as const, to: event.raised_at };
      const lost = (await fleet.events.page({ ...before, limit: mostCritical })).find(isLinkLoss);
      if (lost === undefined || isByStop(lost)) return;
      if (event.raised_at - lost.raised_at >= this.#settings.graceMs) await this.#fire('node_online', event);
    } catch (error) {
      logger.error({ error, trigger: 'node_online' }, 'a webhook call could not be queued');
    }
  }

  async #fire(trigger: WebhookTrigger, event: EventRow): Promise<void> {
    const { store, fleet, logger } = this.#dependencies;
    try {
      const wanted = (await store.webhooks.all()).filter((hook) => isWanted(hook, trigger));
      if (wanted.length === 0) return;
      const node = event.node_id === null ? null : await fleet.nodes.get(event.node_id).catch(() => null);
      const { node_id, severity, category, message, flow_id, tunnel_id, raised_at } = event;
      await this.#queue(wanted, trigger, {
        ...{ severity, category, message, node_id, node_name: node?.name ?? null, flow_id, tunnel_id },
        raised_at: rfc3339(raised_at),
        details: event.details === null ? null : (JSON.parse(event.details) as unknown),
      });
    } catch (error) {
      logger.error({ error, trigger }, 'a webhook call could not be queued');
    }
  }

  async #queue(hooks: readonly WebhookRow[], trigger: string, event: object): Promise<void> {
    const { store, clock, random } = this.#dependencies;
    const now = clock.now();
    await store.deliveries.insert(
      hooks.map(({ id: webhook_id, name }) => {
        const id = newId(random);
        const body = JSON.stringify({ id, trigger, webhook: name, sent_at: rfc3339(now), event });
        return { ...blank, id, webhook_id, body, next_attempt_at: now, created_at: now };
      }),
    );
  }

  async #look(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const { store, clock, logger } = this.#dependencies;
    try {
      const now = clock.now();
      const due = await store.deliveries.claim(now, now + claimMs, this.#claimant, callsAtOnce);
      await Promise.all(due.map((delivery) => this.#deliver(delivery)));
      if (due.length > 0) await store.deliveries.forgetDone(now - keptMs);
    } catch (error) {
      logger.debug({ error }, 'webhook calls could not be read');
    } finally {
      this.#busy = false;
    }
  }

  async #deliver(delivery: WebhookDeliveryRow): Promise<void> {
    const { store, clock, sealing, post = postWebhook } = this.#dependencies;
    const hook = await store.webhooks.get(delivery.webhook_id);
    if (hook === null) return;
    const timestamp = Math.floor(clock.now() / 1_000);
    const { allowPrivate } = this.#settings;
    const secret = openOrNull(sealing, hook);
    const outcome =
      secret === null
        ? ({ ok: false, error: 'its signing secret cannot be read' } as const)
        : await post({ url: hook.url, body: delivery.body, secret, timestamp, allowPrivate });
    await store.deliveries.change(delivery.id, afterAttempt(delivery, outcome, clock.now()));
  }
}

/** Null for a row that was damaged: that webhook fails alone, and its page says why. */
function openOrNull(sealing: Sealing, { id, secret_sealed: sealed }: WebhookRow): string | null {
  try {
    return sealing.open(sealed, secretPlace(id));
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

const blank = { attempts: 0, last_error: null, done_at: null, claimed_by: null } as const;

function isWanted({ disabled_at, filter }: WebhookRow, trigger: WebhookTrigger): boolean {
  if (disabled_at !== null) return false;
  const parsed = webhookFilterSchema.safeParse(JSON.parse(filter));
  return parsed.success && parsed.data.triggers.includes(trigger);
}

/** Done, to be tried again later, or given up. */
export function afterAttempt(
  { attempts }: Pick<WebhookDeliveryRow, 'attempts'>,
  outcome: WebhookOutcome,
  now: number,
): Partial<WebhookDeliveryRow> {
  const tried = attempts + 1;
  if (outcome.ok) return { attempts: tried, done_at: now, last_error: null };
  const delay = retryDelaysMs[attempts];
  if (delay === undefined) return { attempts: tried, done_at: now, last_error: `given up: ${outcome.error}` };
  return { attempts: tried, next_attempt_at: now + delay, last_error: outcome.error };
}
