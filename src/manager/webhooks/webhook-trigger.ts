import { z } from 'zod';
import { webhookTriggerSchema, type WebhookTrigger } from '../views/access.ts';
import type { EventRow } from '../store/schema.ts';

export const webhookFilterSchema = z.object({ triggers: z.array(webhookTriggerSchema) });

const triggersByCategory: Readonly<Record<string, WebhookTrigger>> = {
  'config_sync.push_failed': 'push_failed',
  'config_sync.ghost_cleanup': 'ghost_cleanup',
  'config_sync.drift_extraneous': 'drift_opened',
  'config_sync.drift_missing': 'drift_opened',
  'config_sync.drift_mismatched': 'drift_opened',
};

type Told = Pick<EventRow, 'instance_id' | 'category' | 'message'>;

/**
 * What a stored event sets off at once. Nodes that go wait for the grace: see `WebhookDispatcher`. What a node raises in
 * the manager's words is an event as any other.
 */
export function triggersOf(event: Told & Pick<EventRow, 'severity'>): readonly WebhookTrigger[] {
  const own = isOwn(event) ? triggersByCategory[event.category] : undefined;
  const critical = event.severity === 'critical' && !isLinkLoss(event);
  return [...(own === undefined ? [] : [own]), ...(critical ? (['critical_event'] as const) : [])];
}

export function isLinkLoss(event: Told): boolean {
  return isOwn(event) && event.category === 'connection' && event.message === 'Node disconnected from manager';
}

export function isLinkGain(event: Told): boolean {
  return isOwn(event) && event.category === 'connection' && event.message === 'Node connected to manager';
}

/** A manager raised it, not a node. */
function isOwn({ instance_id }: Told): boolean {
  return instance_id !== null;
}
