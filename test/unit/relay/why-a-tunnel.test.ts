import { describe, expect, it } from 'vitest';
import { explainAtRelay } from '../../../src/cli/why/explain-relay.ts';
import { parseRelayConfig } from '../../../src/relay/config/relay-config.ts';
import { RelayConsole } from '../../../src/relay/relay-console.ts';
import { tunnelFactsSchema, type TunnelFacts } from '../../../src/relay/admin/relay-schemas.ts';
import { MemoryRelay, type MemoryRelayOptions } from '../../support/programs/memory-relay.ts';
import { tunnelNumber } from '../../support/samples/sample-relay.ts';
import { silentLogger } from '../../support/fakes/silent-logger.ts';

const id = tunnelNumber(0xabc);
const secret = 'ab'.repeat(32);
const otherSecret = 'cd'.repeat(32);
const tunnels = [{ id, bind_secret: secret }];
const authorized = { require_bind_auth: true, tunnels };

/** A relay with what REST looks at, and the words that `adit why` has for the tunnel. */
class Bed {
  readonly relay: MemoryRelay;
  readonly observer: RelayConsole;

  private constructor(relay: MemoryRelay, config: Readonly<Record<string, unknown>>) {
    this.relay = relay;
    const parsed = parseRelayConfig({ require_bind_auth: false, ...config }, '/nowhere');
    if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
    this.observer = new RelayConsole(relay.relay, parsed.config, {
      clock: relay.clock,
      logger: silentLogger,
      engine: relay.engine,
      softwareVersion: '0.0.0-test',
      linkStatus: () => null,
      exposedFiles: () => [],
    });
    relay.relay.events.subscribe((raised) => this.observer.take(raised));
  }

  static async start(config: MemoryRelayOptions['config'] = {}): Promise<Bed> {
    return new Bed(await MemoryRelay.start({ config }), config);
  }

  /** What a client of the REST API reads. */
  facts(): TunnelFacts {
    return tunnelFactsSchema.strict().parse(JSON.parse(JSON.stringify(this.observer.answers.facts(id))));
  }

  /** The words, with `meanwhile` happening between the two looks. */
  why(meanwhile: () => void = () => undefined): string {
    const before = this.facts();
    meanwhile();
    this.relay.advance(1000);
    return explainAtRelay(before, this.facts())
      .map(({ level, text, remedy }) => `${level}: ${text}${remedy === null ? '' : ` → ${remedy}`}`)
      .join('\n');
  }

  pair(): { ingress: ReturnType<MemoryRelay['edge']>; egress: ReturnType<MemoryRelay['edge']> } {
    const ingress = this.relay.edge('camera').bind({ tunnelId: id, direction: 'ingress', secret });
    const egress = this.relay.edge('studio').bind({ tunnelId: id, direction: 'egress', secret });
    this.relay.run();
    return { ingress, egress };
  }
}

describe('why a tunnel carries nothing, provoked in a whole relay', () => {
  it('is not authorised', async () => {
    const bed = await Bed.start({ require_bind_auth: true });
    expect(bed.why()).toContain('The tunnel is not authorised on this relay: nobody may bind it.');
    bed.relay.edge('camera').bind({ tunnelId: id, direction: 'ingress', secret });
    bed.relay.run();
    expect(bed.why()).toMatch(/The ingress edge \(camera, 192\.0\.2\.1:\d+\) was refused: tunnel not authorised/);
    const tried = {
      tunnel_id: id,
      name: null,
      direction: 'ingress',
      edge_id: 'camera',
      reason: 'tunnel not authorised',
    };
    expect(bed.observer.answers.refusals()).toMatchObject({ refusals: [tried] });
  });

  it('has an edge with the wrong secret, until that edge has the right one', async () => {
    const bed = await Bed.start(authorized);
    const edge = bed.relay.edge('camera').bind({ tunnelId: id, direction: 'ingress', secret: otherSecret });
    bed.relay.run();
    expect(bed.why()).toMatch(/was refused: bind authentication failed .* → give the edge the tunnel_bind_secret/);
    edge.close();
    bed.pair();
    expect(bed.why()).not.toContain('refused');
  });

  it('was revoked', async () => {
    const bed = await Bed.start(authorized);
    bed.pair();
    await bed.relay.relay.control.revoke(id);
    expect(bed.why()).toContain('The tunnel is revoked: nobody may bind it. → let the manager authorise it again');
  });

  it('has never had an edge', async () => {
    const bed = await Bed.start(authorized);
    expect(bed.why()).toMatch(/^problem: No UDP packet has reached this relay at 127\.0\.0\.1:4433 since it started, /);
  });

  it('lacks the leg whose edge went, and says since when', async () => {
    const bed = await Bed.start(authorized);
    const { egress } = bed.pair();
    egress.close();
    bed.relay.advance(179_000);
    expect(bed.why()).toMatch(
      /The egress leg has been missing for 3 minutes, while the ingress edge waits \(last: Tunnel down: edge disconnected, /,
    );
  });

  it('has edges that disagree about what it carries', async () => {
    const bed = await Bed.start(authorized);
    bed.relay.edge('camera').bind({ tunnelId: id, direction: 'ingress', protocol: 'udp', secret });
    bed.relay.edge('studio').bind({ tunnelId: id, direction: 'egress', protocol: 'tcp', secret });
    bed.relay.advance(100);
    expect(bed.why()).toMatch(/The egress edge \(studio, .*\) was refused: protocol mismatch .* one says tcp, one udp/);
  });

  it('is held by another edge on a relay that asks for no authorisation', async () => {
    const bed = await Bed.start();
    bed.relay.edge('studio').bind({ tunnelId: id, direction: 'egress' });
    bed.relay.edge('camera').bind({ tunnelId: id, direction: 'ingress' });
    bed.relay.edge('other').bind({ tunnelId: id, direction: 'ingress' });
    bed.relay.run();
    expect(bed.why()).toMatch(/The ingress edge \(other, .*\) was refused: leg held by a live edge .* two edges/);
  });

  it('has an edge of an older version, refused or not', async () => {
    const bed = await Bed.start({ ...authorized, min_protocol_version: 2 });
    const old = bed.relay.dial().openControl();
    old.send({ type: 'hello', protocol_version: 1, software_version: 'old', features: [] });
    old.bind({ tunnelId: id, direction: 'ingress', secret });
    bed.relay.run();
    const text = bed.why();
    expect(text).toMatch(/was refused: protocol version too old .* lower min_protocol_version/);
    expect(text).toContain('Protocol version mismatch (edge=1, relay=2)');
    const tolerant = await Bed.start(authorized);
    const edge = tolerant.relay.dial().openControl();
    edge.send({ type: 'hello', protocol_version: 1, software_version: 'old', features: [] });
    edge.bind({ tunnelId: id, direction: 'ingress', secret });
    tolerant.relay.run();
    expect(tolerant.why()).toContain('note: Version mismatch: the ingress edge speaks version 1');
  });

  it('drops datagrams that no peer takes, and reports it while it happens', async () => {
    const bed = await Bed.start(authorized);
    const camera = bed.relay.edge('camera').bind({ tunnelId: id, direction: 'ingress', secret });
    bed.relay.run();
    expect(bed.why(() => camera.sendDatagram(id, 'frame'))).toContain(
      '1 datagram from the ingress edge was dropped just now (1 in all, no_peer): the egress leg was not there.',
    );
    expect(bed.why()).toContain('note: 1 datagram from the ingress edge was dropped earlier (no_peer)');
  });

  it('has a path that is too narrow for the datagrams offered', async () => {
    const bed = await Bed.start({ ...authorized, quic: { max_udp_payload: 1200 } });
    const { ingress } = bed.pair();
    const text = bed.why(() => ingress.sendDatagram(id, Buffer.alloc(1376)));
    expect(text).toMatch(/1 datagram from the ingress edge was dropped just now \(1 in all, too_large\)/);
    expect(text).toMatch(/at most \d+ bytes of payload fit/);
  });

  it('carries traffic, and says in which directions', async () => {
    const bed = await Bed.start(authorized);
    const { ingress, egress } = bed.pair();
    expect(bed.why(() => ingress.sendDatagram(id, 'frame'))).toContain('note: Only the ingress edge is sending now.');
    const both = bed.why(() => {
      ingress.sendDatagram(id, 'frame');
      egress.sendDatagram(id, 'report');
    });
    expect(both).toMatch(/^good: Both legs are there, for .*\.\ngood: Traffic flows in both directions\.$/);
  });

  it('belongs to a relay that is shutting down', async () => {
    const bed = await Bed.start(authorized);
    const stopped = bed.relay.relay.stop(0);
    expect(bed.why()).toContain('The relay takes no new tunnels: the relay is shutting down.');
    bed.relay.advance(1000);
    await stopped;
  });
});

describe('REST over a whole relay', () => {
  it('T3 is alive while an address is bound, and ready while new tunnels would be accepted', async () => {
    const bed = await Bed.start(authorized);
    expect(bed.observer.answers.health()).toMatchObject({ alive: true, report: { status: 'ok', reasons: [] } });
    expect(bed.observer.answers.notReadyReasons()).toEqual([]);
    const stopped = bed.relay.relay.stop(0);
    expect(bed.observer.answers.notReadyReasons()).toEqual(['the relay is shutting down']);
    bed.relay.advance(1000);
    await stopped;
    expect(bed.observer.answers.health().alive).toBe(false);
  });

  it('reports that anyone may bind, in health, which stays ok, and to whoever asks about a tunnel', async () => {
    const bed = await Bed.start();
    expect(bed.observer.answers.health().report).toMatchObject({
      status: 'ok',
      reasons: [expect.stringMatching(/^require_bind_auth is false: .*; write "require_bind_auth": true and restart/)],
    });
    bed.pair();
    expect(bed.why()).toContain('note: Anyone who reaches the relay may bind this tunnel: require_bind_auth is false.');
    const mixed = await Bed.start({ tunnels });
    mixed.pair();
    expect(mixed.why()).toContain('may bind a tunnel that nobody authorised: require_bind_auth is false. → write');
    const strict = await Bed.start(authorized);
    strict.pair();
    expect(strict.why()).not.toContain('require_bind_auth');
  });

  it('takes a tunnel away when it is deleted', async () => {
    const bed = await Bed.start(authorized);
    const { ingress } = bed.pair();
    expect(await bed.observer.answers.control.deleteTunnel(id)).toBe(2);
    bed.relay.run();
    expect(ingress.messages.at(-1)).toMatchObject({ type: 'tunnel_down', reason: 'tunnel deleted via relay REST API' });
    expect(await bed.observer.answers.control.deleteTunnel(id)).toBeNull();
    expect(bed.observer.answers.tunnels()).toEqual([]);
  });

  it.each([true, false])('refuses a deleted tunnel until it is unrevoked (require_bind_auth %s)', async (strict) => {
    const bed = await Bed.start(strict ? authorized : { require_bind_auth: false });
    bed.pair();
    await bed.observer.answers.control.deleteTunnel(id);
    bed.relay.advance(1000);
    const back = bed.relay.edge('camera', ['peer_state']).bind({ tunnelId: id, direction: 'egress', secret });
    bed.relay.run();
    expect(back.messages.at(-1)).toMatchObject({ type: 'tunnel_down', reason: 'tunnel revoked' });
    expect(bed.observer.answers.facts(id).authorisation).toBe('revoked');
    expect(await bed.observer.answers.control.unrevoke(id)).toBe(true);
    bed.relay.advance(1000);
    const again = bed.relay.edge('camera', ['peer_state']).bind({ tunnelId: id, direction: 'egress', secret });
    bed.relay.run();
    expect(again.messages.at(-1)).toMatchObject({ type: 'tunnel_waiting' });
  });

  it('deletes a tunnel that is authorised and that nobody holds, and no other', async () => {
    const bed = await Bed.start(authorized);
    expect(await bed.observer.answers.control.deleteTunnel(id)).toBe(0);
    expect(await bed.observer.answers.control.deleteTunnel(id)).toBeNull();
    expect(await bed.observer.answers.control.deleteTunnel(tunnelNumber(99))).toBeNull();
    expect(bed.relay.relay.policy.isRevoked(tunnelNumber(99))).toBe(false);
  });

  it('lists edges and totals', async () => {
    const bed = await Bed.start(authorized);
    bed.pair();
    expect(bed.observer.answers.edges()).toMatchObject([
      { edge_id: 'camera', protocol_version: 2, held_tunnels: 1 },
      { edge_id: 'studio', protocol_version: 2, held_tunnels: 1 },
    ]);
    expect(bed.observer.answers.stats()).toMatchObject({ connected_edges: 2, active_tunnels: 1, connections_total: 2 });
    expect(bed.observer.answers.report.dropTotals()).toMatchObject({ no_peer: 0 });
  });
});
