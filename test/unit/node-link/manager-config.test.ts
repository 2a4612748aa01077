import { describe, expect, it } from 'vitest';
import { managerSchema, managerSettings } from '../../../src/node-link/manager-config.ts';

const problemsOf = (manager: unknown) =>
  managerSchema.safeParse(manager).error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];

describe('the manager object of a config', () => {
  it('takes one url or several', () => {
    expect(managerSchema.parse({ url: 'wss://m:8443/ws/node' }).urls).toEqual(['wss://m:8443/ws/node']);
    const several = managerSchema.parse({ url: null, urls: ['wss://a/x', 'wss://b/x'], registration_token: null });
    expect(managerSettings(several)).toEqual({
      enabled: false,
      urls: ['wss://a/x', 'wss://b/x'],
      acceptSelfSignedCert: false,
      certFingerprints: [],
    });
  });

  it.each([
    ['ws in the clear', { url: 'ws://m/ws/node' }, 'begin it with wss://'],
    ['no address', { enabled: true }, 'urls: is missing'],
    ['what is no address', { url: 'm:8443' }, 'begin it with wss://'],
    ['one address twice', { urls: ['wss://m/x', 'wss://M:443/x'] }, 'names one address twice'],
    ['too many addresses', { urls: Array.from({ length: 17 }, (_, index) => `wss://m${index}/x`) }, 'urls: '],
    ['a very long address', { url: `wss://m/${'x'.repeat(2048)}` }, 'longer than 2048 characters'],
    ['a password in the address', { url: 'wss://u:p@m/x' }, 'holds a user or password'],
    ['a bad fingerprint', { url: 'wss://a/x', cert_fingerprint: 'zz' }, 'cert_fingerprint: is not a SHA-256'],
    ['a text among addresses', { urls: ['wss://a/x', 'no address'] }, 'urls.1: is not an address'],
    ['a secret without its id', { url: 'wss://a/x', node_secret: 's' }, 'node_id: and node_secret belong together'],
    ['an id without its secret', { url: 'wss://a/x', node_id: 'n' }, 'node_id: and node_secret belong together'],
    ['a bad one among several', { url: 'wss://a/x', cert_fingerprint: ['ab'.repeat(32), 'zz'] }, 'is not a SHA-256'],
    ['an unknown key', { url: 'wss://a/x', fingerprint: 'x' }, 'fingerprint'],
  ])('refuses %s', (_name, manager, problem) => {
    expect(problemsOf(manager).join('\n')).toContain(problem);
  });

  it('may hold an id from before a new registration', () => {
    expect(problemsOf({ url: 'wss://a/x', node_id: 'n', registration_token: 't' })).toEqual([]);
  });

  it('may be empty when it is off', () => {
    expect(problemsOf({ enabled: false })).toEqual([]);
  });

  it('never quotes a secret', () => {
    expect(problemsOf({ url: 'wss://a/x', node_id: 'n', node_secret: 's3cr3t'.repeat(1000) }).join()).not.toContain(
      's3cr3t',
    );
  });
});
