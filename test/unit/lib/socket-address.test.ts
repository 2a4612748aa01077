import { describe, expect, it } from 'vitest';
import {
  addressBlock,
  formatSocketAddress,
  isLoopback,
  isUnspecified,
  parseSocketAddress,
} from '../../../src/lib/socket-address.ts';

describe('a socket address', () => {
  it.each([
    ['198.51.100.4:40000', { ip: '198.51.100.4', port: 40_000 }],
    ['[2001:db8::1]:4433', { ip: '2001:db8::1', port: 4433 }],
    ['[::]:0', { ip: '::', port: 0 }],
  ])('is read and written as %s', (text, address) => {
    expect(parseSocketAddress(text)).toEqual(address);
    expect(formatSocketAddress(address)).toBe(text);
  });

  it.each([
    '',
    'relay.example:4433',
    '1.2.3.4',
    '1.2.3.4:',
    '1.2.3.4:65536',
    '::1:4433',
    '[fe80::1%eth0]:1',
    '[1.2.3.4]:1',
  ])('is not read from %j', (text) => {
    expect(parseSocketAddress(text)).toBeNull();
  });

  it('knows the addresses that only the host itself can reach', () => {
    expect(['127.0.0.1', '127.8.8.8', '::1', '0:0:0:0:0:0:0:1'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '192.0.2.1', 'fe80::1', '2001:db8::1'].some(isLoopback)).toBe(false);
  });

  it('knows the addresses that stand for all of a host', () => {
    expect(['0.0.0.0', '::', '0:0:0:0:0:0:0:0'].every(isUnspecified)).toBe(true);
    expect(['127.0.0.1', '::1'].some(isUnspecified)).toBe(false);
  });
});

describe('the block that counts as one source', () => {
  it.each([
    ['198.51.100.4', '198.51.100.4'],
    ['::ffff:198.51.100.4', '198.51.100.4'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['64:ff9b:0:1::192.0.2.1', '64:ff9b:0:1::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('of %s is %s', (ip, block) => {
    expect(addressBlock(ip)).toBe(block);
  });
});
