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

/** What a stored event sets off at once. Nodes that go wait for the grace: see `WebhookDispatcher`. */
export function triggersOf({ category, severity, message }: EventRow): readonly WebhookTrigger[] {
  const own = triggersByCategory[category];
  const critical = severity === 'critical' && !isLinkLoss({ category, message });
  return [...(own === undefined ? [] : [own]), ...(critical ? (['critical_event'] as const) : [])];
}

export function isLinkLoss({ category, message }: Pick<EventRow, 'category' | 'message'>): boolean {
  return category === 'connection' && message === 'Node disconnected from manager';
}

export function isLinkGain({ category, message }: Pick<EventRow, 'category' | 'message'>): boolean {
  return category === 'connection' && message === 'Node connected to manager';
}
