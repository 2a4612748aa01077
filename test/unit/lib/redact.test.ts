import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/app-error.ts';
import { isSecretName, redacted, redactFields } from '../../../src/lib/redact.ts';

describe('isSecretName', () => {
  it.each([
    'node_secret',
    'nodeSecret',
    'previous_node_secrets',
    'token',
    'bindTokens',
    'registration_token',
    'api_token',
    'tunnel_encryption_key',
    'stream_key',
    'tunnel_bind_secret',
    'privateKeyPem',
    'Authorization',
    'proof',
    'password',
  ])('knows %s', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each(['tunnelId', 'tokenKind', 'secretRotatedAt', 'keyId', 'publicKey', 'remoteAddress'])('spares %s', (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe('redactFields', () => {
  it('hides secrets at any depth and leaves the rest', () => {
    expect(redactFields({ tunnelId: 't', config: { manager: [{ node_secret: 's', node_id: 'n' }] } })).toEqual({
      tunnelId: 't',
      config: { manager: [{ node_secret: redacted, node_id: 'n' }] },
    });
  });

  it('shows that a secret is absent', () => {
    expect(redactFields({ token: null, secret: undefined })).toEqual({ token: null, secret: undefined });
  });

  it('tells bytes by their number and big integers by their digits', () => {
    expect(redactFields({ payload: Buffer.from('abc'), total: 2n ** 64n })).toEqual({
      payload: '<3 bytes>',
      total: '18446744073709551616',
    });
  });

  it('unfolds an error with its code and its causes, without the secrets on it', () => {
    const cause = Object.assign(new Error('refused'), { errno: 111, token: 'abc' });
    const { error } = redactFields({ error: new AppError('connect-failed', 'no manager', { cause }) });
    expect(error).toMatchObject({
      name: 'AppError',
      code: 'connect-failed',
      message: 'no manager',
      cause: { name: 'Error', message: 'refused', errno: 111, token: redacted },
    });
  });

  it('does not follow a circle for ever', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(JSON.stringify(redactFields(circle))).toContain('<deep>');
  });
});
