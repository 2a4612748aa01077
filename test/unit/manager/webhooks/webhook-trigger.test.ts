import { describe, expect, test } from 'vitest';
import { isByStop, isLinkGain, isLinkLoss, triggersOf } from '../../../../src/manager/webhooks/webhook-trigger.ts';

const lost = { severity: 'critical', category: 'connection', message: 'Node disconnected from manager' } as const;
const ghost = { severity: 'warning', category: 'config_sync.ghost_cleanup', message: 'Removed' } as const;

describe('what sets off a webhook', () => {
  test('is what a manager saw: a link that is lost, one that is back, a difference', () => {
    expect(isLinkLoss({ ...lost, instance_id: 'i' })).toBe(true);
    expect(isLinkGain({ ...lost, message: 'Node connected to manager', instance_id: 'i' })).toBe(true);
    expect(triggersOf({ ...ghost, instance_id: 'i' })).toEqual(['ghost_cleanup']);
    expect(triggersOf({ ...lost, instance_id: 'i' })).toEqual([]);
  });

  test('is no fleet that comes back to a manager that was stopped', () => {
    expect(isByStop({ details: '{"reason":"manager stopping","connected_secs":5}' })).toBe(true);
    for (const details of [null, '', '[]', '{"reason":"connection lost"}']) expect(isByStop({ details })).toBe(false);
  });

  test('is not what a node raises in the same words; a critical event of a node stays one', () => {
    expect(isLinkLoss({ ...lost, instance_id: null })).toBe(false);
    expect(isLinkGain({ ...lost, message: 'Node connected to manager', instance_id: null })).toBe(false);
    expect(triggersOf({ ...ghost, instance_id: null })).toEqual([]);
    expect(triggersOf({ ...lost, instance_id: null })).toEqual(['critical_event']);
  });
});
