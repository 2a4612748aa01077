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
    stall: null,
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

describe('why a tunnel is as it is, at an edge', () => {
  it('says through which relay it is up, and what is wrong with the other', () => {
    expect(text(factsOf({}))).toBe(
      'problem: There is no connection to the relay relay-b.example:4433: the relay no longer answers. → check its ' +
        'address, that it runs, and that UDP to its port is let through both ways\n' +
        'note: Nothing goes through it now, in either direction. → look at what should send to 127.0.0.1:5000, here or ' +
        'at the other edge\n' +
        'good: The tunnel is up through relay-a.example:4433.',
    );
  });

  it('says that the other edge is missing', () => {
    expect(text(factsOf({ state: 'waiting', relays: [relay] }))).toContain('the ingress edge is not there');
  });

  it('says that a relay refused, and what to do', () => {
    const refused = { ...relay, state: 'down', last_problem: 'tunnel not authorised', path: null } as const;
    expect(text(factsOf({ state: 'down', relays: [refused] }))).toContain(
      'The relay relay-a.example:4433 does not let us hold the leg: tunnel not authorised. → list the tunnel under tunnels',
    );
  });

  it('says that a relay has fallen silent and that the second one is in use', () => {
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
  });

  it('names the machine when this process stood still', () => {
    const facts = { ...factsOf({}), stall: 'the event loop stood still for 5.0 s within the last 20 s' };
    expect(text(facts)).toContain('problem: This machine does not keep up: the event loop stood still for 5.0 s');
  });

  it('says that the keys of the edges differ', () => {
    const before = factsOf({ stats: { ...quiet, decrypt_errors: 5 } });
    const after = factsOf({ stats: { ...quiet, decrypt_errors: 9 } });
    expect(text(before, after)).toContain(
      '9 payloads could not be opened (4 just now): the edges have different keys.',
    );
  });

  it('says that the local program is not there', () => {
    expect(text(factsOf({}), factsOf({ stats: { ...quiet, send_errors: 3 } }))).toContain(
      'Nothing takes what arrives for 127.0.0.1:5000 (it failed 3 times just now).',
    );
    const failed = {
      at: '2026-04-02T12:09:00.000Z',
      kind: 'tunnel-failed',
      severity: 'critical',
      message: "Tunnel 'camera 1' failed: address in use",
      details: {},
    } as const;
    expect(text(factsOf({ state: 'down', relays: [] }, [failed]))).toContain(
      "Tunnel 'camera 1' failed: address in use. → free 127.0.0.1:5000",
    );
  });

  it.each(['no_relay', 'too_large', 'queue_full', 'expired', 'congestion', 'closing', 'no_local_peer', 'wrong_tunnel'])(
    'has words for the drop %s',
    (reason) => {
      const words = text(factsOf({}), factsOf({ drops: { [reason]: 2 } }));
      expect(words).toContain(`problem: 2 datagrams were dropped just now (2 in all, ${reason}): `);
      expect(text(factsOf({ drops: { [reason]: 2 } }))).toContain('note: 2 datagrams were dropped earlier');
    },
  );

  it('says that it is stopped, or on its way', () => {
    expect(text(factsOf({ state: 'stopped', relays: [] }))).toContain('set enabled to true');
    const relays = [{ ...relay, state: 'connecting', path: null } as const];
    expect(text(factsOf({ state: 'connecting', relays }))).toBe(
      'problem: There is no connection to the relay relay-a.example:4433 yet. → check its address, that it runs, and ' +
        'that UDP to its port is let through both ways',
    );
  });

  it('tells a relay that is somebody else from one that is not there', () => {
    const last = 'the relay did not prove who it is: the certificate has another fingerprint';
    const relays = [{ ...relay, state: 'connecting', path: null, last_problem: last } as const];
    expect(text(factsOf({ state: 'connecting', relays }))).toContain(' → compare relay_fingerprint with');
  });

  it('says in which directions data moves', () => {
    const moved = (changes: Partial<typeof quiet>): string =>
      text(factsOf({}), factsOf({ stats: { ...quiet, ...changes } }));
    expect(moved({ bytes_sent: 9999 })).toContain('note: Data goes out from here, and nothing comes');
    expect(moved({ bytes_received: 9999 })).toContain('note: Data comes from the other edge, and nothing goes out');
    expect(moved({ bytes_sent: 9999, bytes_received: 9999 })).toContain('good: Traffic flows in both directions.');
  });

  it('says how large a datagram may be', () => {
    expect(text(factsOf({}), factsOf({ drops: { too_large: 2 } }))).toContain(
      '→ send smaller datagrams: at most 1348 bytes of payload fit (path MTU 1452)',
    );
  });
});
