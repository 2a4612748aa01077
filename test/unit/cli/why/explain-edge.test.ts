import { describe, expect, it } from 'vitest';
import { explainAtEdge } from '../../../../src/cli/why/explain-edge.ts';
import type { EdgeTunnelFacts, EdgeTunnelReport } from '../../../../src/edge/admin/edge-schemas.ts';
import { sampleEdgeTunnel } from '../../../support/samples/sample-edge.ts';
import { tunnelNumber } from '../../../support/samples/sample-relay.ts';

const id = tunnelNumber(4);
const quiet = { ...sampleEdgeTunnel(id).stats, decrypt_errors: 0, send_errors: 0 };

function factsOf(changes: Partial<EdgeTunnelReport>, events: EdgeTunnelFacts['events'] = []): EdgeTunnelFacts {
  const tunnel = sampleEdgeTunnel(id, { stats: quiet, drops: {}, ...changes });
  return {
    tunnel_id: id,
    at: '2026-04-02T12:10:00.000Z',
    edge_id: 'studio',
    edge_version: '0.1.0',
    tunnel,
    exposed_files: [],
    stall: null,
    loop_lag_ms: 0,
    descriptor_shortage: null,
    events,
  };
}

function text(before: EdgeTunnelFacts, after: EdgeTunnelFacts = before): string {
  return explainAtEdge(before, after)
    .map(({ level, text: words, remedy }) => `${level}: ${words}${remedy === null ? '' : ` → ${remedy}`}`)
    .join('\n');
}

const relay = sampleEdgeTunnel(id).relays[0];
if (relay === undefined) throw new Error('the sample has relays');

function never(): never {
  throw new Error('the sample has a path');
}

describe('why a tunnel is as it is, at an edge', () => {
  it('reports through which relay it is up, and what is wrong with the other', () => {
    expect(text(factsOf({}))).toBe(
      'problem: There is no connection to the relay relay-b.example:4433: the relay no longer answers. → check ' +
        'that it runs, and that UDP to its port passes both ways: adit probe relay-b.example:4433 shows how far ' +
        'packets get\n' +
        'note: Nothing goes through it now, in either direction. → look at what should send to 127.0.0.1:5000, here or ' +
        'at the other edge\n' +
        'good: The tunnel is up through relay-a.example:4433.',
    );
  });

  it('reports that the other edge is missing', () => {
    expect(text(factsOf({ state: 'waiting', relays: [relay] }))).toContain('the ingress edge is not there');
  });

  it('reports that a relay refused, and what to do', () => {
    const refused = { ...relay, state: 'down', last_problem: 'tunnel not authorised', path: null } as const;
    expect(text(factsOf({ state: 'down', relays: [refused] }))).toContain(
      'The relay relay-a.example:4433 does not let us hold the leg: tunnel not authorised. → list the tunnel under tunnels',
    );
  });

  it('reports that a relay has fallen silent and that the second one is in use', () => {
    const relays = [
      { ...relay, suspect: true },
      { ...relay, relay_addr: 'relay-b.example:4433' },
    ];
    const words = text(factsOf({ relays, active_relay_idx: 1, active_relay_addr: 'relay-b.example:4433' }));
    expect(words).toContain('The relay relay-a.example:4433 has stopped answering.');
    expect(words).toContain('note: Traffic runs through the second relay, relay-b.example:4433.');
  });

  it('blames the way to the relay, and nobody behind it, when only what is sent is lost', () => {
    const words = text(factsOf({ relays: [{ ...relay, suspect: true, one_way: true }] }));
    expect(words).toContain(
      'problem: What is sent to the relay relay-a.example:4433 does not arrive; packets from it do. → let UDP out',
    );
    expect(words).not.toContain('other edge');
    expect(words).not.toContain('stopped answering');
    const last_problem = 'no connection within 6 s';
    const ended = { ...relay, state: 'connecting', one_way: true, last_problem, path: null } as const;
    const later = text(factsOf({ state: 'connecting', relays: [ended] }));
    expect(later).toContain('does not arrive; packets from it did, and no new connection can be made. → let UDP out');
    expect(later).not.toContain(last_problem);
  });

  it('names the machine when this process stood still', () => {
    const facts = { ...factsOf({}), stall: 'the event loop stood still for 5.0 s within the last 20 s' };
    expect(text(facts)).toContain('problem: This machine does not keep up: the event loop stood still for 5.0 s');
  });

  const trouble = { count: 9, since: '2026-04-02T12:08:00.000Z', last_at: '2026-04-02T12:09:50.000Z' } as const;
  const refused = { ...trouble, kind: 'local', cause: 'nothing listens there (ECONNREFUSED)' } as const;

  it.each([
    [refused, 'Nothing takes what arrives for 127.0.0.1:5000: nothing listens there (ECONNREFUSED)'],
    [{ ...trouble, kind: 'far', cause: '' } as const, 'The program behind the other edge does not accept connections'],
    [
      { ...trouble, kind: 'machine', cause: 'it has no route there (ENETUNREACH)' } as const,
      'This machine cannot listen on 127.0.0.1:5000: it has no route there (ENETUNREACH)',
    ],
    [
      { ...trouble, kind: 'senders', cause: '' } as const,
      'Several programs send to 127.0.0.1:5000 at once, and answers',
    ],
    [
      { ...trouble, kind: 'far-machine', cause: '' } as const,
      'The machine of the other edge has no way to the program',
    ],
    [{ ...trouble, kind: 'key', cause: '' } as const, 'What the other edge sends cannot be opened: the edges have'],
    [{ ...trouble, kind: 'far-key', cause: '' } as const, 'The other edge cannot open what is sent to it: the edges'],
  ])('says what stands in the way, with its age, and blames nothing else for the silence: %o', (standing, words) => {
    const answer = text(factsOf({ troubles: [standing] }));
    expect(answer).toContain(`problem: ${words}`);
    const isState = standing.kind.startsWith('far') || standing.kind === 'senders';
    const age = isState ? 'for 2 minutes' : '9 times in 2 minutes, the last one 10 seconds ago';
    expect(answer).toContain(`(${age}). → `);
    expect(answer).not.toContain('Nothing goes through it now');
  });

  it('only notes what nothing has tried again for ten minutes', () => {
    const old = { ...refused, count: 1, since: '2026-04-02T11:50:00.000Z', last_at: '2026-04-02T11:50:00.000Z' };
    expect(text(factsOf({ troubles: [old] }))).toContain(
      'note: Nothing takes what arrives for 127.0.0.1:5000: nothing listens there (ECONNREFUSED) (once, 20 minutes ago).',
    );
  });

  it('reports why the local address could not be opened, and what mends that', () => {
    const failed = {
      at: '2026-04-02T12:09:00.000Z',
      kind: 'tunnel-failed',
      severity: 'critical',
      message: "Tunnel 'camera 1' failed: cannot bind UDP: this program may not take it (EACCES); do this; or that",
      details: {},
    } as const;
    expect(text(factsOf({ state: 'down', relays: [] }, [failed]))).toContain(
      'this program may not take it (EACCES). → do this; or that',
    );
  });

  it('reports that the second relay is of no use while the other edge is not there', () => {
    const relays = [relay, { ...relay, relay_addr: 'relay-b.example:4433', state: 'waiting' } as const];
    expect(text(factsOf({ relays }))).toContain(
      'problem: There is no fail-over: the ingress edge is not at the relay relay-b.example:4433. → list that relay',
    );
  });

  it('names the machine before the network, and blames neither path nor bit rate for its own lateness', () => {
    const slow = { rtt_ms: 400, min_rtt_ms: 20 };
    const path = { ...(relay.path ?? never()), ...slow };
    const facts = factsOf({ relays: [{ ...relay, path }], drops: { expired: 5 } });
    expect(text(facts)).toContain('problem: The path to relay-a.example:4433 is the slow one');
    const late = text(factsOf({}), { ...facts, loop_lag_ms: 640 });
    expect(late).toContain(
      'note: This machine is short of CPU: the program was up to 640 ms late within the last 20 s.',
    );
    expect(late).toMatch(
      /note: The path to relay-a.example:4433 is the slow one.* This may come from the machine alone\./,
    );
    expect(late).toMatch(/note: 5 datagrams were dropped just now .* This may come from the machine alone\./);
    expect(late).not.toContain('lower the bit rate');
  });

  it.each(['no_relay', 'too_large', 'queue_full', 'expired', 'congestion', 'closing', 'no_local_peer', 'wrong_tunnel'])(
    'has words for the drop %s',
    (reason) => {
      const words = text(factsOf({}), factsOf({ drops: { [reason]: 2 } }));
      expect(words).toContain(`problem: 2 datagrams were dropped just now (2 in all, ${reason}): `);
      expect(text(factsOf({ drops: { [reason]: 2 } }))).toContain('note: 2 datagrams were dropped earlier');
    },
  );

  it('reports that it is stopped, or on its way', () => {
    expect(text(factsOf({ state: 'stopped', relays: [] }))).toContain('set enabled to true');
    const relays = [{ ...relay, state: 'connecting', path: null } as const];
    expect(text(factsOf({ state: 'connecting', relays }))).toBe(
      'problem: There is no connection to the relay relay-a.example:4433 yet. → check that it runs, and that UDP to ' +
        'its port passes both ways: adit probe relay-a.example:4433 shows how far packets get',
    );
  });

  it.each([
    ['the relay did not prove who it is: the certificate was not accepted', 'compare relay_fingerprint with'],
    ['getaddrinfo ENOTFOUND relay-a.example', 'the name relay-a.example does not resolve'],
    ['relay-a.example has no address', 'the name relay-a.example does not resolve'],
    ['getaddrinfo EAI_AGAIN relay-a.example', 'no DNS server answers for relay-a.example'],
    ['connect ENETUNREACH', 'this machine has no route to it'],
    ['send EPERM', 'this machine does not let UDP out'],
    ['connect ECONNREFUSED 192.0.2.1:4433', 'no relay listens at that address'],
    ['connection refused', 'raise limits.max_connections of the relay'],
    ['ENOENT: no such file or directory', 'the file of relay_ca_path'],
    ['per-ip connection cap exceeded', 'raise max_connections_per_ip of the relay'],
    ['no connection within 6 s', 'check that it runs, and that UDP to its port passes both ways: adit probe relay-a'],
  ])('has a remedy of its own for "%s"', (last, remedy) => {
    const relays = [{ ...relay, state: 'connecting', path: null, last_problem: last } as const];
    expect(text(factsOf({ state: 'connecting', relays }))).toContain(`: ${last}. → ${remedy}`);
  });

  it.each([
    ['invalid peer certificate: certificate expired: verification time 2', 'has expired', 'renew the certificate'],
    ['the certificate was not accepted (TLS alert 45)', 'has expired', 'renew the certificate'],
    ['certificate not valid yet: verification time 2', 'is not valid yet', 'set the clock of this machine'],
    ['certificate not valid for name "a"', 'is for another name', 'in relay_addrs write the host'],
    ['invalid peer certificate: UnknownIssuer', 'is not signed by the CA of relay_ca_path', 'set relay_ca_path'],
    [
      "unexpected error: the relay's certificate has another fingerprint",
      'is not the one in relay_fingerprint',
      'compare',
    ],
    ['the certificate was not accepted (TLS alert 42)', 'is not valid yet, or for another name', 'set the clock'],
  ])('puts what a TLS library says of a certificate into words: %s', (reason, words, remedy) => {
    const last_problem = `the relay did not prove who it is: ${reason}`;
    const relays = [{ ...relay, state: 'connecting', path: null, last_problem } as const];
    expect(text(factsOf({ state: 'connecting', relays }))).toMatch(
      new RegExp(`the relay did not prove who it is: its certificate ${words}\\. → ${remedy}`),
    );
  });

  it('reports in which directions data moves', () => {
    const moved = (changes: Partial<typeof quiet>): string =>
      text(factsOf({}), factsOf({ stats: { ...quiet, ...changes } }));
    expect(moved({ bytes_sent: 9999 })).toContain('note: Data goes out from here, and nothing comes');
    expect(moved({ bytes_received: 9999 })).toContain('note: Data comes from the other edge, and nothing goes out');
    expect(moved({ bytes_sent: 9999, bytes_received: 9999 })).toContain('good: Traffic flows in both directions.');
  });

  it('reports how large a datagram may be', () => {
    expect(text(factsOf({}), factsOf({ drops: { too_large: 2 } }))).toContain(
      '→ send smaller datagrams: at most 1348 bytes of payload fit (path MTU 1452)',
    );
  });
});
