import { describe, expect, it } from 'vitest';
import { formatHostPort, parseHostPort } from '../../../src/lib/host-port.ts';

describe('host and port', () => {
  it.each([
    ['relay.example.com:4433', 'relay.example.com', 4433],
    ['localhost:0', 'localhost', 0],
    ['192.0.2.7:65535', '192.0.2.7', 65_535],
    ['[2001:db8::1]:4433', '2001:db8::1', 4433],
    ['[::]:1', '::', 1],
  ])('reads %s and writes it back', (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port });
    expect(formatHostPort({ host, port })).toBe(text);
  });

  it.each([
    '',
    ':1',
    'host',
    'host:',
    'host:65536',
    'host:-1',
    '2001:db8::1:4433',
    '[192.0.2.7]:1',
    '[::1]',
    '300.1.1.1:80',
    '10.1:80',
    'a b:1',
    'http://host:1',
    'host..x:1',
    'host:1 ',
  ])('refuses %j', (text) => {
    expect(parseHostPort(text)).toBeNull();
  });
});
