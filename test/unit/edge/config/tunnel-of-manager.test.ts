import { describe, expect, it } from 'vitest';
import { parseTunnel } from '../../../../src/edge/config/edge-config.ts';
import { fieldTunnel as tunnel } from '../../../support/samples/field-tunnel.ts';

describe('one tunnel from a manager', () => {
  const folder = { directory: '/etc/adit', requireBindProof: false };

  it('may have keys of a newer manager, which are named and not stored', () => {
    const parsed = parseTunnel({ ...tunnel, colour: 'red' }, folder);
    expect(parsed).toEqual({
      kind: 'valid',
      ignoredKeys: ['colour'],
      entry: tunnel,
      tunnel: expect.objectContaining({ name: 'camera 1' }) as object,
    });
  });

  it.each(['interface', 'source', 'gateway'])('is refused with %s: it would run over another path', (key) => {
    expect(parseTunnel({ ...tunnel, [key]: 'eth1' }, folder)).toEqual({
      kind: 'invalid',
      problems: [{ path: key, problem: 'is not supported by this edge', remedy: 'remove it' }],
    });
    expect(parseTunnel({ ...tunnel, [key]: null }, folder)).toMatchObject({ kind: 'valid' });
  });

  it('has its list of relays where relay_addr stands beside it, and relay_addr where the list is empty', () => {
    const both = parseTunnel({ ...tunnel, relay_addr: 'old:1' }, folder);
    expect(both).toMatchObject({ kind: 'valid', entry: tunnel, ignoredKeys: ['relay_addr'] });
    const one = parseTunnel({ ...tunnel, relay_addr: 'old:1', relay_addrs: [], relay_fingerprint: null }, folder);
    expect(one).toMatchObject({ ignoredKeys: [], tunnel: { relays: [{ host: 'old', port: 1 }] } });
    expect(one).not.toHaveProperty('entry.relay_addrs');
  });

  it('is checked like one of the file', () => {
    expect(parseTunnel({ ...tunnel, tunnel_bind_secret: null, tls_key: null }, folder)).toMatchObject({
      ignoredKeys: [],
      tunnel: { bindSecret: null },
    });
    expect(parseTunnel({ ...tunnel, direction: 'up' }, folder)).toMatchObject({
      kind: 'invalid',
      problems: [{ path: 'direction' }],
    });
    expect(parseTunnel('tunnel', folder)).toMatchObject({
      kind: 'invalid',
      problems: [{ path: '', problem: 'must be an object: {…}' }],
    });
  });
});
