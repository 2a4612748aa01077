import { describe, expect, it } from 'vitest';
import { builtEngines } from '../../support/programs/engines.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { startWhyWorld } from '../../support/programs/why-world.ts';

const otherKey = 'ab'.repeat(32);

describe.each(await builtEngines())('adit why over %s, provoked with whole programs on real sockets', (engine) => {
  it('is content with a tunnel that works', async () => {
    await using world = await startWhyWorld({ engine });
    world.send(1000, 100);
    await world.says('relay', /Only the egress edge is sending now\.\n✓ Both legs are there, for .*\.\n$/);
    await world.says('egress', 'Data goes out from here');
    await world.says('ingress', 'Data comes from the other edge');
  });

  it('reports that the tunnel is not authorised', async () => {
    await using world = await startWhyWorld({ engine, relay: { tunnels: [] } });
    await world.says('relay', /not authorised on this relay[^]*The ingress edge \(studio, .*\) was refused/);
    await world.says(
      'egress',
      'does not let us hold the leg: tunnel not authorised.\n  → list the tunnel under tunnels',
    );
  });

  it('reports that an edge was refused for its secret, and that its leg is missing', async () => {
    await using world = await startWhyWorld({ engine, egressTunnel: { tunnel_bind_secret: otherKey } });
    const text = await world.says('relay', /The egress edge \(camera, .*\) was refused: bind authentication failed/);
    expect(text).toMatch(/The egress leg has been missing for .*, while the ingress edge waits/);
    await world.says('egress', 'bind authentication failed.\n  → give the edge the tunnel_bind_secret');
    await world.says('ingress', 'The relay has our leg, and the egress edge is not there.');
  });

  it('reports at both ends that the address has all its connections', async () => {
    await using world = await startWhyWorld({ engine, relay: { max_connections_per_ip: 1 } });
    const text = await world.says('relay', /Connections from 127\.0\.0\.1 are refused: it has 1 already/);
    expect(text).toContain('raise max_connections_per_ip');
    const missing = text.includes('The ingress leg has been missing') ? 'ingress' : 'egress';
    expect(text).toContain(`The ${missing} leg has been missing`);
    await world.says(missing, 'raise max_connections_per_ip of the relay: too many connections come from this address');
  });

  it('reports since when a leg is missing, and how it went', async () => {
    await using world = await startWhyWorld({ engine });
    world.send(1000, 100);
    await world.says('relay', 'Both legs are there');
    await world.leave('ingress');
    await world.says('relay', /The ingress leg has been missing for \d seconds?, .*\(last: Tunnel down: edge disc/);
    await world.says('egress', /dropped just now \(\d+ in all, no_relay\): the tunnel was not up/);
  });

  it('reports that the edges disagree about the protocol', async () => {
    await using world = await startWhyWorld({ engine, ingressTunnel: { protocol: 'tcp' } });
    await world.says('relay', /was refused: protocol mismatch[^]*one says tcp, one udp/);
  });

  it('reports at relay and edge that another edge took the leg, which comes back once that one has ended', async () => {
    await using world = await startWhyWorld({ engine });
    await world.says('ingress', 'The tunnel is up');
    const leave = await world.join('ingress', 'double');
    await world.says('relay', 'The ingress leg went from studio to double');
    await world.says('ingress', 'does not let us hold the leg: replaced by a new connection.\n  → two edges have');
    await world.says(
      'relay',
      /The ingress edge \(studio, .*\) was refused: leg held by a live edge .*\n {2}→ two edges/,
    );
    await leave();
    const back = await world.says('ingress', 'The tunnel is up');
    expect(back).not.toContain('replaced');
    const relay = await world.says('relay', 'Both legs are there');
    expect(relay).not.toContain('refused');
  });

  it('reports which leg loses packets', async () => {
    await using world = await startWhyWorld({ engine, faults: { lossRate: 0.08 } });
    world.send(1000, 400);
    const text = await world.says('relay', /The ingress leg \(studio, .*\) is losing packets: \d/);
    expect(text).not.toContain('The egress leg (camera');
  });

  it('reports which leg is the slow one, and what is dropped for it', async () => {
    await using world = await startWhyWorld({ engine, faults: { bytesPerSecond: 60_000, delayMs: 5 } });
    world.send(1000, 200);
    const text = await world.says('relay', /The ingress leg \(studio, .*\) is (the slow one|slow):/);
    expect(text).not.toContain('The egress leg (camera');
    await world.says(
      'relay',
      /datagrams from the egress edge were dropped just now .*: more is sent than the ingress leg/,
    );
  });

  it('reports how much fits when the packets offered are too large', async () => {
    await using world = await startWhyWorld({ engine });
    await world.says('egress', 'The tunnel is up');
    world.send(1500, 100);
    const text = await world.says(
      'egress',
      /too_large\)[^]*→ send smaller datagrams: at most 13\d\d bytes of payload fit/,
    );
    expect(text).not.toContain('stopped answering');
  });

  it('reports that a path narrower than the default drops what it cannot carry', async () => {
    await using world = await startWhyWorld({ engine, relay: { quic: { engine, max_udp_payload: 1200 } } });
    await world.says('egress', 'The tunnel is up');
    world.send(1300, 100);
    await world.says(
      'relay',
      /too_large\): they do not fit a packet to the ingress edge: at most 1\d\d\d bytes of payload/,
    );
  });

  it('reports that the relay does not answer, or is another one', async () => {
    await using silent = await startWhyWorld({ engine, faults: { partitioned: true } });
    await silent.says('ingress', /There is no connection to the relay .*\n {2}→ check that it runs/);
    await using impostor = await startWhyWorld({ engine, ingressTunnel: { relay_fingerprint: otherKey } });
    await impostor.says('ingress', /the relay did not prove who it is: .*\n {2}→ compare relay_fingerprint/);
  });

  it('reports that the edges have different keys, and that nothing takes what arrives', async () => {
    await using strangers = await startWhyWorld({ engine, ingressTunnel: { tunnel_encryption_key: otherKey } });
    strangers.send(1000, 100);
    await strangers.says(
      'ingress',
      /What the other edge sends cannot be opened: the edges have different keys \(\d+ times/,
    );
    await using nobody = await startWhyWorld({ engine, ingressTunnel: { local_addr: '127.0.0.1:9' } });
    nobody.send(1000, 100);
    await nobody.says('ingress', 'Nothing takes what arrives for 127.0.0.1:9: nothing listens there (ECONNREFUSED)');
  });

  it('reports that the local address is taken', async () => {
    await using taken = await LocalUdpSocket.open();
    await using world = await startWhyWorld({ engine, egressTunnel: { local_addr: taken.addr } });
    await world.says(
      'egress',
      `UDP ${taken.addr}: another program has it (EADDRINUSE).\n  → stop that one (ss -lntup lists them)`,
    );
  });
});
