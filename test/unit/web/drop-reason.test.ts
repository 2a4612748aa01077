import { describe, expect, it } from 'vitest';
import { dropReasons } from '../../../src/quic/types.ts';
import { dropReason } from '../../../web/src/words/drop-reason.ts';

describe('why a datagram was dropped', () => {
  it('has words for each reason of ours', () => {
    expect(Object.fromEntries(dropReasons.map((reason) => [reason, dropReason(reason)]))).toEqual({
      no_peer: 'other edge not bound',
      too_large: 'too large',
      queue_full: 'queue full',
      expired: 'too old',
      wrong_protocol: 'not of this protocol',
      closing: 'tunnel was closing',
      congestion: 'path full',
    });
  });

  it('shows that of another program as it is', () => {
    expect(dropReason('rate_limit')).toBe('rate limit');
  });
});
