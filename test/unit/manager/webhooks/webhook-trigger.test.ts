import { describe, expect, test } from 'vitest';
import { isLinkGain, isLinkLoss, triggersOf } from '../../../../src/manager/webhooks/webhook-trigger.ts';

const lost = { severity: 'critical', category: 'connection', message: 'Node disconnected from manager' } as const;
const ghost = { severity: 'warning', category: 'config_sync.ghost_cleanup', message: 'Removed' } as const;

describe('what sets off a webhook', () => {
  test('is what a manager saw: a link that is lost, one that is back, a difference', () => {
    expect(isLinkLoss({ ...lost, instance_id: 'i' })).toBe(true);
    expect(isLinkGain({ ...lost, message: 'Node connected to manager', instance_id: 'i' })).toBe(true);
    expect(triggersOf({ ...ghost, instance_id: 'i' })).toEqual(['ghost_cleanup']);
    expect(triggersOf({ ...lost, instance_id: 'i' })).toEqual([]);
  });

  test('is not what a node raises in the same words; a critical event of a node stays one', () => {
    expect(isLinkLoss({ ...lost, instance_id: null })).toBe(false);
    expect(isLinkGain({ ...lost, message: 'Node connected to manager', instance_id: null })).toBe(false);
    expect(triggersOf({ ...ghost, instance_id: null })).toEqual([]);
    expect(triggersOf({ ...lost, instance_id: null })).toEqual(['critical_event']);
  });
});
