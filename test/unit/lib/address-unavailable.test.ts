import { describe, expect, it } from 'vitest';
import { addressUnavailable } from '../../../src/lib/address-unavailable.ts';
import { errorMessage } from '../../../src/lib/app-error.ts';

function words(code: string): string {
  const cause = Object.assign(new Error(`bind ${code} 127.0.0.1:443`), { code });
  return errorMessage(addressUnavailable('cannot listen on UDP 127.0.0.1:443', new Error('wrapped', { cause })));
}

describe('an address that cannot be had', () => {
  it.each([
    ['EACCES', 'this program may not take it (EACCES); ports below 1024 need CAP_NET_BIND_SERVICE: as AmbientCapab'],
    ['EADDRINUSE', 'another program has it (EADDRINUSE); stop that one (ss -lntup lists them), or choose another port'],
    ['EADDRNOTAVAIL', 'no interface of this machine has that address now (EADDRNOTAVAIL); choose one that "ip addr"'],
    ['EAFNOSUPPORT', 'this machine has no IPv6 (EAFNOSUPPORT); leave the address out'],
  ])('says of %s why, and the remedy of that cause', (code, text) => {
    expect(words(code)).toContain(`cannot listen on UDP 127.0.0.1:443: ${text}`);
    expect(words(code).match(/127\.0\.0\.1:443/g)).toHaveLength(1);
  });

  it('passes the words of an unknown cause on', () => {
    expect(words('EIO')).toBe('cannot listen on UDP 127.0.0.1:443: wrapped: bind EIO 127.0.0.1:443');
  });
});
