import { z } from 'zod';
import { asJsonObject, parseJson } from '../../lib/json.ts';
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

type TriggerEvent = Pick<EventRow, 'instance_id' | 'category' | 'message'>;

/**
 * The triggers of a stored event. That of a node that goes waits for the grace time: see `WebhookDispatcher`. An event
 * that a node raises in the manager's words has the triggers of any other event.
 */
export function triggersOf(event: TriggerEvent & Pick<EventRow, 'severity'>): readonly WebhookTrigger[] {
  const own = isOwn(event) ? triggersByCategory[event.category] : undefined;
  const critical = event.severity === 'critical' && !isLinkLoss(event);
  return [...(own === undefined ? [] : [own]), ...(critical ? (['critical_event'] as const) : [])];
}

export function isLinkLoss(event: TriggerEvent): boolean {
  return isOwn(event) && event.category === 'connection' && event.message === 'Node disconnected from manager';
}

/** The manager stopped, and so reported no node as gone. */
export function isByStop({ details }: Pick<EventRow, 'details'>): boolean {
  return asJsonObject(parseJson(details ?? ''))?.['reason'] === 'manager stopping';
}

export function isLinkGain(event: TriggerEvent): boolean {
  return isOwn(event) && event.category === 'connection' && event.message === 'Node connected to manager';
}

/** A manager raised it, not a node. */
function isOwn({ instance_id }: TriggerEvent): boolean {
  return instance_id !== null;
}
