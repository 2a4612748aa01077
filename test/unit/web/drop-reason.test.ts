import { describe, expect, it } from 'vitest';
import { dropReasons } from '../../../src/quic/types.ts';
import { dropReason } from '../../../web/src/words/drop-reason.ts';

describe('why a datagram was dropped', () => {
  it('has other words than the name for each reason of ours but those that say enough', () => {
    const named = dropReasons.filter((reason) => dropReason(reason) === reason.replaceAll('_', ' '));
    expect(named).toEqual(['too_large', 'queue_full']);
    expect(dropReason('no_peer')).toBe('other edge not bound');
  });

  it('shows that of another program as it is', () => {
    expect(dropReason('rate_limit')).toBe('rate limit');
  });
});
