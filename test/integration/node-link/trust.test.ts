import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wsDialler } from '../../../src/node-link/link/ws-dialler.ts';
import { dateAt } from '../../../src/lib/clock.ts';
import { createSelfSigned, TestAuthority, type Certificate } from '../../support/samples/certificates.ts';
import { ScaledClock } from '../../support/fakes/scaled-clock.ts';
import { TestManager } from '../../support/peers/test-manager.ts';
import { TestNodeLink } from '../../support/programs/test-node-link.ts';
import { until } from '../../support/until.ts';

type Kind = 'trusted' | 'expired' | 'wrong name' | 'self-signed';

const systemRoots = tls.getCACertificates('default');
const dayMs = 24 * 3_600_000;
const certificates = new Map<Kind, Certificate>();

beforeAll(async () => {
  const authority = await TestAuthority.create();
  const nowMs = new ScaledClock(1).now();
  certificates.set('trusted', await authority.issue());
  certificates.set(
    'expired',
    await authority.issue({ notBefore: dateAt(nowMs - 2 * dayMs), notAfter: dateAt(nowMs - dayMs) }),
  );
  certificates.set('wrong name', await authority.issue({ dnsNames: ['other.example'], ipAddresses: [] }));
  certificates.set('self-signed', await createSelfSigned());
  tls.setDefaultCACertificates([...systemRoots, authority.certificate.certificatePem]);
});
afterAll(() => tls.setDefaultCACertificates(systemRoots));

interface Settings {
  readonly certificate: Kind;
  readonly pin?: 'right' | 'key' | 'wrong' | 'key of another' | 'among others';
  readonly acceptSelfSigned?: boolean;
  readonly allowInsecure?: boolean;
}

async function connect(settings: Settings) {
  const certificate = certificates.get(settings.certificate);
  if (certificate === undefined) throw new Error('no certificate');
  const stack = new AsyncDisposableStack();
  const manager = stack.use(await TestManager.start({ certificate }));
  manager.secrets.set('n', new Set(['s']));
  const right = certificate.fingerprint.toUpperCase().match(/../g)?.join(':') ?? '';
  const other = certificates.get(settings.certificate === 'trusted' ? 'self-signed' : 'trusted')?.keyPin;
  const pins = {
    ...{ right, key: certificate.keyPin, wrong: 'ab'.repeat(32), 'key of another': other },
    'among others': ['ab'.repeat(32), right],
  };
  const pin = settings.pin && { cert_fingerprint: pins[settings.pin] };
  const accept = settings.acceptSelfSigned && { accept_self_signed_cert: true };
  const node = stack.use(
    await TestNodeLink.start({
      manager: { url: manager.url, node_id: 'n', node_secret: 's', ...pin, ...accept },
      allowInsecure: settings.allowInsecure ?? false,
    }),
  );
  await until(() => manager.online !== undefined || node.logger.messages('info').includes('not connected to manager'));
  const reason = node.logger.lines.find((line) => line.message === 'not connected to manager')?.fields['reason'];
  return {
    manager,
    node,
    reason: typeof reason === 'string' ? reason : null,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('a node connects to a manager', () => {
  it.each<[string, Settings]>([
    ['with a certificate of a known authority', { certificate: 'trusted' }],
    ['with that and the pinned leaf', { certificate: 'trusted', pin: 'right' }],
    ['with one of several pinned leaves', { certificate: 'trusted', pin: 'among others' }],
    ['with a pinned self-signed one', { certificate: 'self-signed', pin: 'right', acceptSelfSigned: true }],
    ['with a self-signed one whose key is pinned', { certificate: 'self-signed', pin: 'key', acceptSelfSigned: true }],
    [
      'with a pinned expired one when self-signed is accepted',
      { certificate: 'expired', pin: 'right', acceptSelfSigned: true },
    ],
    ['with any when checks are off', { certificate: 'wrong name', acceptSelfSigned: true, allowInsecure: true }],
  ])('%s', async (_name, settings) => {
    await using run = await connect(settings);
    const { manager, node, reason } = run;
    expect(reason).toBeNull();
    expect(manager.auths).toHaveLength(1);
    const warnings = node.logger.messages('warn').includes('manager certificate is not checked');
    expect(warnings).toBe(settings.allowInsecure === true);
  });
});

describe('a node does not say who it is to a manager', () => {
  it.each<[string, Settings, RegExp]>([
    ['with a self-signed certificate', { certificate: 'self-signed' }, /self-signed/],
    ['with an expired one', { certificate: 'expired' }, /expired/],
    ['with one for another name', { certificate: 'wrong name' }, /altnames/],
    ['with another leaf than the pinned one', { certificate: 'trusted', pin: 'wrong' }, /not the pinned one/],
    ['with another key than the pinned one', { certificate: 'trusted', pin: 'key of another' }, /not the pinned one/],
    ['with a pinned leaf that no authority signed', { certificate: 'self-signed', pin: 'right' }, /self-signed/],
    [
      'with another self-signed one than the pinned one',
      { certificate: 'self-signed', pin: 'wrong', acceptSelfSigned: true },
      /not the pinned one/,
    ],
    [
      'unchecked, when only the config says so',
      { certificate: 'self-signed', acceptSelfSigned: true },
      /BILBYCAST_ALLOW_INSECURE/,
    ],
    [
      'with another leaf than the pinned one, even when checks are off',
      { certificate: 'self-signed', pin: 'wrong', acceptSelfSigned: true, allowInsecure: true },
      /not the pinned one/,
    ],
  ])('%s', async (_name, settings, expected) => {
    await using run = await connect(settings);
    const { manager, node, reason } = run;
    expect(reason).toMatch(expected);
    expect(manager.connections).toEqual([]);
    expect(node.linkEvents).toEqual([]);
  });
});

it('dials nothing that is not encrypted, whatever let the address through', () => {
  const listener = { opened: fail, received: fail, ponged: fail, alive: fail, closed: fail };
  expect(() => wsDialler.dial('ws://127.0.0.1:1/ws/node', { kind: 'unchecked' }, listener)).toThrow('not wss://');
});

function fail(): never {
  throw new Error('nothing was to happen');
}
