import { describe, expect, test } from 'vitest';
import { isPrivateAddress } from '../../../../src/manager/webhooks/private-address.ts';
import { webhookSignature, webhookUrlProblem } from '../../../../src/manager/webhooks/webhook-post.ts';
import { afterAttempt } from '../../../../src/manager/webhooks/webhook-dispatcher.ts';

describe('where a webhook may go', () => {
  test.each([
    ...['127.0.0.1', '127.255.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254'],
    ...['100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '::1', '::', 'fe80::1%eth0', 'fd00::1', 'ff02::1'],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::7f00:1', '2002:7f00:1::', 'not-an-address', '[::1]'],
  ])('%s is inside', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  test.each(['9.9.9.9', '172.32.0.1', '192.169.0.1', '2606:4700::1111', '2a00:1450::1'])('%s is public', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });

  test.each([
    ...['http://hooks.example/', 'https://127.0.0.1/', 'https://[::1]/', 'https://localhost/', 'https://x.internal/'],
    ...[
      'https://0x7f.1/',
      'https://2130706433/',
      'https://user:pass@hooks.example/',
      'ftp://hooks.example',
      'nonsense',
    ],
  ])('%s is refused as an address', (url) => {
    expect(webhookUrlProblem(url, false)).not.toBeNull();
  });

  test('a public https address is taken; a private one only where the config allows it', () => {
    expect(webhookUrlProblem('https://hooks.example/adit', false)).toBeNull();
    expect(webhookUrlProblem('http://127.0.0.1:9000/', true)).toBeNull();
  });
});

describe('calls of a webhook', () => {
  test('are signed over time and body', () => {
    // printf '1700000000.{}' | openssl dgst -sha256 -hmac secret
    expect(webhookSignature('secret', 1_700_000_000, '{}')).toBe(
      'sha256=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163',
    );
    expect(webhookSignature('secret', 1, '{}')).not.toBe(webhookSignature('secret', 2, '{}'));
    expect(webhookSignature('secret', 1, '{}')).not.toBe(webhookSignature('other', 1, '{}'));
  });

  test('are tried eleven times within about an hour, then given up', () => {
    let delivery = { attempts: 0 };
    let now = 0;
    const failed = { ok: false, error: 'HTTP 500' } as const;
    for (let tries = 0; tries < 10; tries += 1) {
      const next = afterAttempt(delivery, failed, now);
      expect(next.done_at).toBeUndefined();
      now = next.next_attempt_at ?? 0;
      delivery = { attempts: next.attempts ?? 0 };
    }
    expect(now).toBeGreaterThan(3_000_000);
    expect(now).toBeLessThan(3_700_000);
    expect(afterAttempt(delivery, failed, now)).toMatchObject({ done_at: now, last_error: 'given up: HTTP 500' });
  });

  test('that succeed are done', () => {
    expect(afterAttempt({ attempts: 3 }, { ok: true }, 5)).toEqual({ attempts: 4, done_at: 5, last_error: null });
  });
});
