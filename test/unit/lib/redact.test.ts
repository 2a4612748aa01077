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

  it('tells an expected error by its words and those of its causes, each once and without a stack', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', token: 'abc' });
    const error = new AppError('connect-failed', 'no manager: connect ECONNREFUSED', { cause });
    expect(redactFields({ error })).toEqual({ error: 'no manager: connect ECONNREFUSED' });
    expect(redactFields({ error: cause })).toEqual({ error: 'connect ECONNREFUSED' });
  });

  it('keeps the stack of a defect', () => {
    const cause = new TypeError('x is not a function');
    const { error, stack } = redactFields({ error: new AppError('bug', 'cannot be', { cause }) });
    expect(error).toBe('cannot be: x is not a function');
    expect(stack).toMatch(/AppError: cannot be\n +at [^]*\nCaused by: TypeError: x is not a function\n +at /);
    const misuse = Object.assign(new TypeError('bad argument'), { code: 'ERR_INVALID_ARG_TYPE' });
    expect(redactFields({ error: misuse })).toMatchObject({
      error: 'bad argument',
      stack: expect.any(String) as string,
    });
  });

  it('does not follow a circle for ever', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(JSON.stringify(redactFields(circle))).toContain('<deep>');
  });
});
