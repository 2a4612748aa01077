import { describe, expect, it } from 'vitest';
import { computeBindProof, computeBindToken } from '../../../../src/protocol/tunnel/bind-token.ts';
import { BindPolicy, type BindCredentials } from '../../../../src/relay/tunnels/bind-policy.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';

const id = knownTunnelId('6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f');
const other = knownTunnelId('00000000-0000-4000-8000-000000000001');
const secret = '00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f';
const challenge = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const tokens = { ingress: computeBindToken(secret, id, 'ingress'), egress: computeBindToken(secret, id, 'egress') };
const strict = { requireBindAuth: true, requireBindProof: false, maxAuthorizations: 10 };
const permissive = { ...strict, requireBindAuth: false };

function ask(credentials: Partial<BindCredentials>): BindCredentials {
  return { tunnelId: id, direction: 'ingress', token: undefined, proof: undefined, challenge, ...credentials };
}

function authorized(settings = strict): BindPolicy {
  const policy = new BindPolicy(settings);
  policy.setStaticTunnels([{ id, bindSecret: secret }]);
  return policy;
}

describe('the bind policy', () => {
  it('knows what the config calls a tunnel now; a changed name alone disturbs no leg', () => {
    const policy = authorized();
    expect(policy.nameOf(id)).toBeNull();
    expect(policy.setStaticTunnels([{ id, name: 'camera', bindSecret: secret }]).size).toBe(0);
    expect(policy.nameOf(id)).toBe('camera');
    policy.setStaticTunnels([{ id, name: 'studio', bindSecret: secret }]);
    expect(policy.nameOf(id)).toBe('studio');
    expect(policy.nameOf(other)).toBeNull();
  });

  it('refuses an unknown tunnel by default, and lets anyone in when it is permissive', () => {
    expect(new BindPolicy(strict).check(ask({}))).toEqual({ kind: 'refused', reason: 'not-authorised' });
    expect(new BindPolicy(permissive).check(ask({ token: 'anything' }))).toEqual({ kind: 'open' });
  });

  it.each([
    ['the token of its direction', { token: tokens.ingress }, 'authorized'],
    ['the token of the other direction', { token: tokens.egress }, 'invalid-token'],
    ['the token in upper case', { token: tokens.ingress.toUpperCase() }, 'invalid-token'],
    ['no token', {}, 'invalid-token'],
    ['an empty token', { token: '' }, 'invalid-token'],
    ['the proof', { proof: computeBindProof(tokens.ingress, challenge, id, 'ingress') }, 'authorized'],
    [
      'the proof of another connection',
      { proof: computeBindProof(tokens.ingress, 'ff', id, 'ingress') },
      'invalid-token',
    ],
    ['a bad proof beside a good token', { token: tokens.ingress, proof: 'f'.repeat(64) }, 'invalid-token'],
  ])('answers %s, in both modes', (_, credentials, expected) => {
    for (const settings of [strict, permissive]) {
      const verdict = authorized(settings).check(ask(credentials));
      expect(verdict.kind === 'refused' ? verdict.reason : verdict.kind).toBe(expected);
    }
  });

  it('takes no token where proofs are required', () => {
    const policy = authorized({ ...strict, requireBindProof: true });
    expect(policy.check(ask({ token: tokens.ingress }))).toEqual({ kind: 'refused', reason: 'proof-required' });
    expect(authorized(strict).check(ask({ token: tokens.ingress }))).toEqual({ kind: 'authorized' });
  });

  it('puts the word of the manager above the config, until it is lifted', () => {
    const policy = authorized();
    policy.revoke(id);
    expect(policy.check(ask({ token: tokens.ingress }))).toEqual({ kind: 'refused', reason: 'revoked' });
    expect([policy.isRevoked(id), policy.authorizedTunnels()]).toEqual([true, []]);
    expect(policy.authorize(id, { ingress: 'a', egress: 'b' })).toBe('changed');
    expect(policy.check(ask({ token: 'a' }))).toEqual({ kind: 'authorized' });
    expect(policy.check(ask({ token: tokens.ingress })).kind).toBe('refused');
    policy.revoke(id);
    expect([policy.unrevoke(id), policy.unrevoke(id)]).toEqual([true, false]);
    expect(policy.check(ask({ token: tokens.ingress }))).toEqual({ kind: 'authorized' });
  });

  it('keeps a revoked tunnel closed in permissive mode', () => {
    const policy = new BindPolicy(permissive);
    policy.revoke(id);
    expect(policy.check(ask({}))).toEqual({ kind: 'refused', reason: 'revoked' });
  });

  it('says whether tokens have changed, and gives a leg another credential when they have', () => {
    const policy = authorized();
    const before = policy.credentialOf(id, 'ingress');
    expect(policy.authorize(id, tokens)).toBe('unchanged');
    expect(policy.credentialOf(id, 'ingress')).toBe(before);
    expect(policy.authorize(id, { ...tokens, ingress: 'new' })).toBe('changed');
    expect(policy.credentialOf(id, 'ingress')).not.toBe(before);
    expect(policy.credentialOf(other, 'ingress')).toBeNull();
  });

  it('tells which static tunnels a new config adds, changes or takes away', () => {
    const policy = authorized();
    expect(policy.setStaticTunnels([{ id, bindSecret: secret }]).size).toBe(0);
    const changed = policy.setStaticTunnels([{ id: other, bindSecret: secret }]);
    expect([...changed].sort()).toEqual([id, other].sort());
    expect(policy.check(ask({ token: tokens.ingress }))).toEqual({ kind: 'refused', reason: 'not-authorised' });
  });

  it('gives back after a restart what it knew before', () => {
    const policy = authorized();
    policy.authorize(other, { ingress: 'a', egress: 'b' });
    policy.revoke(id);
    const next = authorized();
    next.restore(JSON.parse(JSON.stringify(policy.state())) as ReturnType<BindPolicy['state']>);
    expect(next.state()).toEqual(policy.state());
    expect(next.check(ask({ tunnelId: other, token: 'a' }))).toEqual({ kind: 'authorized' });
    expect(next.isRevoked(id)).toBe(true);
  });

  it('lists what is authorised, from where, with a digest that is no token', () => {
    const policy = authorized();
    policy.authorize(other, { ingress: 'a', egress: 'b' });
    const listed = policy.authorizedTunnels();
    expect(listed.map(({ tunnelId, source }) => [tunnelId, source])).toEqual([
      [id, 'config'],
      [other, 'manager'],
    ]);
    expect(JSON.stringify(listed)).not.toContain(tokens.ingress);
  });

  it('holds no more than its cap, and drops the oldest revocations', () => {
    const policy = new BindPolicy({ ...strict, maxAuthorizations: 1 });
    expect(policy.authorize(id, tokens)).toBe('changed');
    expect(policy.authorize(other, tokens)).toBe('limit-reached');
    expect(policy.revoke(id)).toBeNull();
    expect(policy.revoke(other)).toBeNull();
    expect([policy.isRevoked(id), policy.isRevoked(other)]).toEqual([false, true]);
  });

  it('I4 gives up a revocation that keeps a tunnel closed only where there is no other, and reports it', () => {
    const settings = { ...strict, maxAuthorizations: 1 };
    const policy = authorized(settings);
    policy.revoke(id);
    expect(policy.revoke(other)).toBeNull();
    expect([policy.isRevoked(id), policy.isAuthorized(id), policy.isAuthorized(other)]).toEqual([true, false, false]);
    const open = new BindPolicy({ ...settings, requireBindAuth: false });
    open.revoke(id);
    expect(open.revoke(other)).toBe(id);
  });
});
