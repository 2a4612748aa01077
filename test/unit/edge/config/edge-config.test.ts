import { describe, expect, it } from 'vitest';
import { parseEdgeConfig, type EdgeConfig } from '../../../../src/edge/config/edge-config.ts';
import { formatProblem, type ConfigProblem } from '../../../../src/config/config-problem.ts';
import { fieldTunnel as tunnel } from '../../../support/samples/field-tunnel.ts';
import { bindVector, sealVector, vectorTunnel } from '../../../support/samples/vectors.ts';

const context = { directory: '/etc/adit', hostname: 'studio-1' };
const fingerprint = 'ab'.repeat(32);
const other = 'cd'.repeat(32);

function valid(content: unknown): { config: EdgeConfig; warnings: readonly ConfigProblem[] } {
  const parsed = parseEdgeConfig(content, context);
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  return parsed;
}

function problems(content: unknown): string[] {
  const parsed = parseEdgeConfig(content, context);
  return parsed.kind === 'valid' ? [] : parsed.problems.map(formatProblem);
}

const problemsOf = (changes: object): string[] => problems({ tunnels: [{ ...tunnel, ...changes }] });

describe('an edge config', () => {
  it('has defaults for everything but its tunnels', () => {
    const { config, warnings } = valid({});
    expect(config).toEqual({
      maxConnectionsPerTunnel: 1000,
      edgeId: 'studio-1',
      tunnels: [],
      flows: [],
      quic: { engine: 'auto', maxUdpPayload: 1452, idleTimeoutMs: 25_000, keepAliveMs: 5000 },
      manager: null,
      requireBindProof: false,
      credentialsPath: null,
      apiAddr: null,
      apiToken: null,
      jsonLogTarget: null,
      logLevel: 'info',
      stateDir: '/etc/adit/state',
      observer: null,
    });
    expect(warnings).toEqual([]);
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('reads a tunnel as managers send it', () => {
    expect(valid({ tunnels: [{ ...tunnel, transport: 'quic', mode: 'relay' }] }).config.tunnels).toEqual([
      {
        id: vectorTunnel.id,
        name: 'camera 1',
        enabled: true,
        protocol: 'udp',
        direction: 'egress',
        localAddr: { host: '127.0.0.1', port: 5000 },
        endsInFlow: false,
        relays: [
          { host: 'relay-a.example.com', port: 4433 },
          { host: '192.0.2.9', port: 4433 },
        ],
        verifications: [{ kind: 'none' }, { kind: 'none' }],
        encryptionKey: sealVector.keyHex,
        bindSecret: bindVector.secret,
        requireBindProof: false,
      },
    ]);
  });

  it('takes the list of relays where relay_addr stands beside it, with a warning', () => {
    const { config, warnings } = valid({
      tunnels: [{ ...tunnel, relay_addr: 'old:1', relay_fingerprint: fingerprint }],
      manager: { url: 'wss://a/x', urls: ['wss://b/x'] },
    });
    expect(config.tunnels[0]?.relays.map(({ host }) => host)).toEqual(['relay-a.example.com', '192.0.2.9']);
    expect(warnings.map(formatProblem)).toEqual([
      'manager.url has no effect beside manager.urls; remove it',
      'tunnels[0].relay_addr has no effect beside tunnels[0].relay_addrs; remove it',
    ]);
  });

  it('takes one relay_addr in place of the list', () => {
    const parsed = valid({ tunnels: [{ ...tunnel, relay_addrs: undefined, relay_addr: '[2001:db8::1]:4433' }] });
    expect(parsed.config.tunnels[0]?.relays).toEqual([{ host: '2001:db8::1', port: 4433 }]);
  });

  it('refuses an unknown key of a tunnel, names the nearest one, and says all else that is wrong with it', () => {
    expect(problemsOf({ locl_addr: '127.0.0.1:1', relay_fingerprnt: fingerprint, direction: 'up' })).toEqual([
      expect.stringContaining('tunnels[0].direction'),
      'tunnels[0].locl_addr is not a known key; did you mean "local_addr"?',
      'tunnels[0].relay_fingerprnt is not a known key; did you mean "relay_fingerprint"?',
    ]);
  });

  it.each([
    ['relay_addrs', '127.0.0.1:4433'],
    ['relay_fingerprint', 7],
    ['name', ['camera']],
  ])('says one thing of a %s of the wrong type', (key, value) => {
    const found = problemsOf({ [key]: value });
    expect(found.filter((problem) => problem.startsWith(`tunnels[0].${key} `))).toHaveLength(1);
    expect(found).toHaveLength(1);
  });

  it('warns, once, of relays that are not verified', () => {
    const other = { ...tunnel, id: '00000000-0000-4000-8000-000000000001', local_addr: '127.0.0.1:5001' };
    const { warnings } = valid({ tunnels: [tunnel, other] });
    expect(warnings).toEqual([
      {
        path: 'tunnels[0], tunnels[1]',
        problem: 'connects to its relay without verifying it',
        remedy: 'set relay_fingerprint or relay_ca_path',
      },
    ]);
  });

  it('refuses a REST API that others can use without a token', () => {
    expect(valid({ api_addr: '127.0.0.1:4481' }).warnings).toEqual([]);
    expect(valid({ api_addr: '0.0.0.0:4481', api_token: 'x'.repeat(32) }).warnings).toEqual([]);
    const refused =
      'api_addr would offer the REST API to the network without a token (0.0.0.0:4481); ' +
      'set api_token (openssl rand -hex 32 makes one), or listen on 127.0.0.1';
    expect(problems({ api_addr: '0.0.0.0:4481' })).toEqual([refused]);
    expect(problems({ api_addr: '0.0.0.0:4481', tunels: [] })).toContain(refused);
  });

  it('refuses unknown keys elsewhere and names the nearest known one', () => {
    expect(problems({ tunels: [], quic: { keepalive_secs: 5 }, manger: {}, zzzzzzzzzzzz: 1 })).toEqual([
      'quic.keepalive_secs is not a known key; did you mean "keep_alive_secs"?',
      'tunels is not a known key; did you mean "tunnels"?',
      'manger is not a known key; did you mean "manager"?',
      'zzzzzzzzzzzz is not a known key; remove it; docs/config.md lists every key',
    ]);
  });

  it('finds all problems at once, each with its path, and shows no secret', () => {
    const found = problems({
      edge_id: 'x'.repeat(65),
      tunnels: [{ ...tunnel, id: 'nope', local_addr: 'decoder:5000', tunnel_encryption_key: 'deadbeef' }, { name: '' }],
    });
    expect(found).toEqual(
      expect.arrayContaining([
        'edge_id is longer than 64 bytes, which relays ignore; shorten it',
        'tunnels[0].id is not a UUID; make one with: adit keygen',
        'tunnels[0].local_addr names the host "decoder"; an egress edge listens: write an IP address of this machine, or localhost',
        'tunnels[0].tunnel_encryption_key is not 64 hex digits; make one with: adit keygen',
      ]),
    );
    expect(found.filter((line) => line.startsWith('tunnels[1].')).length).toBeGreaterThan(4);
    expect(found.join()).not.toContain('deadbeef');
  });

  it('says plainly what is not supported yet', () => {
    expect(problemsOf({ transport: 'udp', mode: 'direct' })).toEqual([
      'tunnels[0].transport is not supported yet; use "quic", or leave the key out',
      'tunnels[0].mode is not supported yet; use "relay", or leave the key out',
    ]);
  });

  it.each([
    [{ relay_addrs: undefined }, 'relay_addrs is missing; list one or two host:port, the primary first'],
    [{ relay_addrs: ['a:1', 'a:1'] }, 'relay_addrs names one relay twice; list each once'],
    [{ relay_addrs: ['a:0'] }, 'relay_addrs[0] is not host:port but "a:0"; write for example "relay.example:4433"'],
    [
      { direction: 'ingress', local_addr: '127.0.0.1:0' },
      'local_addr has port 0; name the port that ingress forwards to',
    ],
    [
      { relay_ca_path: 'ca.pem' },
      'relay_ca_path verifies a host name, and relay_addrs has an IP address; use relay_fingerprint',
    ],
    [
      { relay_addrs: ['a:1'], relay_ca_path: 'ca.pem', relay_fingerprint: fingerprint },
      'relay_fingerprint cannot stand beside relay_ca_path; keep one of them',
    ],
    [
      { relay_fingerprint: [fingerprint] },
      'relay_fingerprint is a list of another length than relay_addrs; write one entry for each relay',
    ],
    [
      { require_bind_proof: true, tunnel_bind_secret: undefined },
      'require_bind_proof is true without a secret to prove; add tunnel_bind_secret',
    ],
  ])('refuses %j', (changes, problem) => {
    expect(problemsOf(changes)).toEqual([`tunnels[0].${problem}`]);
  });

  it.each([
    [['a:1'], [fingerprint, other], [[fingerprint, other]]],
    [['a:1'], [[fingerprint, other]], [[fingerprint, other]]],
    [
      ['a:1', 'b:1'],
      [fingerprint, other],
      [[fingerprint], [other]],
    ],
    [
      ['a:1', 'b:1'],
      [[fingerprint, other], fingerprint],
      [[fingerprint, other], [fingerprint]],
    ],
  ])('takes several pins for a relay: of %j %j', (relay_addrs, relay_fingerprint, sha256) => {
    const { config } = valid({ tunnels: [{ ...tunnel, relay_addrs, relay_fingerprint }] });
    expect(config.tunnels[0]?.verifications).toEqual(sha256.map((pins) => ({ kind: 'fingerprint', sha256: pins })));
  });

  it('resolves a CA path from the folder of the file, and takes fingerprints in any writing', () => {
    const colons = fingerprint.toUpperCase().replaceAll(/(..)(?=.)/g, '$1:');
    const { config, warnings } = valid({
      tunnels: [
        { ...tunnel, relay_addrs: ['a:1'], relay_ca_path: 'certs/ca.pem' },
        { ...tunnel, id: '00000000-0000-4000-8000-000000000001', protocol: 'tcp', relay_fingerprint: colons },
      ],
    });
    expect(config.tunnels.map(({ verifications }) => verifications)).toEqual([
      [{ kind: 'ca', path: '/etc/adit/certs/ca.pem' }],
      Array(2).fill({ kind: 'fingerprint', sha256: [fingerprint] }),
    ]);
    expect(warnings).toEqual([]);
  });

  it('takes the pin of a public key in place of a certificate’s fingerprint, alone or beside it', () => {
    const key = `sha256/${Buffer.from(other, 'hex').toString('base64')}`;
    const { config } = valid({
      tunnels: [{ ...tunnel, relay_addrs: ['a:1', 'b:1'], relay_fingerprint: [key, [fingerprint, key]] }],
    });
    expect(config.tunnels[0]?.verifications).toEqual([
      { kind: 'fingerprint', sha256: [other] },
      { kind: 'fingerprint', sha256: [fingerprint, other] },
    ]);
    const problems = problemsOf({ relay_addrs: ['a:1'], relay_fingerprint: key.slice(0, -1) });
    expect(problems[0]).toMatch(/relay_fingerprint is not a SHA-256.*certificate_sha256 or the key_pin/);
  });

  it('takes a name where an ingress edge forwards, such as that of a container', () => {
    const { config } = valid({ tunnels: [{ ...tunnel, direction: 'ingress', local_addr: 'decoder:5001' }] });
    expect(config.tunnels[0]?.localAddr).toEqual({ host: 'decoder', port: 5001 });
  });

  it('takes require_bind_proof for the whole file or for one tunnel', () => {
    const second = { ...tunnel, id: '00000000-0000-4000-8000-000000000001', enabled: false, require_bind_proof: false };
    const { config } = valid({ require_bind_proof: true, tunnels: [tunnel, second] });
    expect(config.tunnels.map(({ requireBindProof }) => requireBindProof)).toEqual([true, false]);
  });

  it('keeps what belongs to the manager link and to logging', () => {
    const manager = { enabled: true, urls: ['wss://m:8443/ws/node'] };
    const { config } = valid({ manager, logging: { json_target: { kind: 'file', path: 'edge.log' } } });
    expect(config.manager).toMatchObject(manager);
    expect(config.jsonLogTarget).toEqual({
      kind: 'file',
      path: '/etc/adit/edge.log',
      max_size_mb: 64,
      max_backups: 5,
      format: 'raw',
    });
  });
});

describe('ports of tunnels in one file', () => {
  const id = '00000000-0000-4000-8000-000000000001';
  const both = (changes: object): string[] => problems({ tunnels: [tunnel, { ...tunnel, id, ...changes }] });

  it('conflict when two tunnels would listen on one', () => {
    const conflict = `tunnels[1].local_addr cannot be had: udp 127.0.0.1:5000 is taken by tunnel 'camera 1'; choose another port`;
    expect(both({})).toEqual([conflict]);
    expect(both({ local_addr: '0.0.0.0:5000' })).toEqual([conflict.replace('udp 127.0.0.1', 'udp 0.0.0.0')]);
  });

  it('do not conflict when only one of them listens there', () => {
    expect(both({ protocol: 'tcp' })).toEqual([]);
    expect(both({ enabled: false })).toEqual([]);
    expect(both({ direction: 'ingress' })).toEqual([]);
    expect(both({ local_addr: '127.0.0.2:5000' })).toEqual([]);
    expect(both({ local_addr: '[::]:5000' })).toEqual([]);
  });

  it('do not hide that a tunnel is named twice', () => {
    expect(both({ id: tunnel.id, protocol: 'tcp' })).toEqual([
      'tunnels[1].id names a tunnel twice; list each tunnel once',
    ]);
  });
});
