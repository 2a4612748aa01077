import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/app-error.ts';
import { keyPinOf, parsePin } from '../../../src/lib/pin.ts';
import { certificateFingerprint } from '../../../src/quic/tls-material.ts';
import { createSelfSigned, TestAuthority, type KeyKind } from '../../support/samples/certificates.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { failureCode } from '../../support/failure-code.ts';
import { AcceptAll } from '../../support/peers/quic-peer.ts';
import { QuicWorld, testIdentity } from '../../support/programs/quic-world.ts';
import { until } from '../../support/until.ts';

describe.each(await builtEngines())('certificates with the %s engine', (name) => {
  it.each(['ec', 'ed25519', 'rsa'] satisfies KeyKind[])(
    'of kind %s are served and trusted by fingerprint, their own or that of their key',
    async (kind) => {
      const tls = await testIdentity(kind);
      await using world = await QuicWorld.start(name, { listen: { tls } });
      const sha256 = certificateFingerprint(tls.certificate);
      await world.dial({ verify: { kind: 'fingerprint', sha256 } });
      const ofKey = parsePin(keyPinOf(tls.certificate)) ?? '';
      await world.dial({ verify: { kind: 'fingerprint', sha256: ofKey } });
      const wrong = createHash('sha256').update('another').digest('hex');
      expect(await failureCode(world.dial({ verify: { kind: 'fingerprint', sha256: wrong } }))).toBe('tls-failed');
    },
  );

  it('of an authority are trusted for the right host only', async () => {
    const authority = await TestAuthority.create();
    const leaf = await authority.issue({ dnsNames: ['relay.example'] });
    const tls = { certificate: leaf.certificatePem, privateKey: leaf.privateKeyPem };
    await using world = await QuicWorld.start(name, { listen: { tls } });
    const verify = { kind: 'ca', caPem: authority.certificate.certificatePem, host: 'relay.example' } as const;
    await world.dial({ serverName: 'relay.example', verify });
    const elsewhere = { ...verify, host: 'other.example' };
    expect(await failureCode(world.dial({ serverName: 'other.example', verify: elsewhere }))).toBe('tls-failed');
    const stranger = await TestAuthority.create('stranger');
    const caPem = stranger.certificate.certificatePem;
    expect(await failureCode(world.dial({ serverName: 'relay.example', verify: { ...verify, caPem } }))).toBe(
      'tls-failed',
    );
  });

  it('L3 are replaced for new connections while old ones live on; what cannot be used is refused', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const next = await testIdentity();
    world.listener.setTls(next);
    const sha256 = certificateFingerprint(next.certificate);
    await world.dial({ verify: { kind: 'fingerprint', sha256 } });
    const other = await createSelfSigned();
    expect(() => world.listener.setTls({ ...next, privateKey: other.privateKeyPem })).toThrow(AppError);
    expect(() => world.listener.setTls({ ...next, certificate: 'nonsense' })).toThrow(AppError);
    await world.dial({ verify: { kind: 'fingerprint', sha256 } });
    client.open().stream.write(Buffer.from('old'));
    await until(() => server.streams[0]?.text === 'old');
  });
});

describe.each(await builtEngines())('listeners of the %s engine', (name) => {
  it('L2 say when their address is taken', async () => {
    await using world = await QuicWorld.start(name);
    const options = { ...(await world.listenOptions()), address: world.listener.address };
    const handler = new AcceptAll();
    expect(await failureCode(world.engine.listen(options, handler))).toBe('address-unavailable');
    const tls = { certificate: 'nonsense', privateKey: 'nonsense' };
    expect(await failureCode(world.engine.listen({ ...(await world.listenOptions()), tls }, handler))).toBe(
      'tls-failed',
    );
  });

  it('say that no interface has their address, and what to do', async () => {
    await using world = await QuicWorld.start(name);
    const options = { ...(await world.listenOptions()), address: { ip: '192.0.2.7', port: 4433 } };
    await expect(world.engine.listen(options, new AcceptAll())).rejects.toMatchObject({
      code: 'address-unavailable',
      message:
        'cannot listen on UDP 192.0.2.7:4433: no interface of this machine has that address now (EADDRNOTAVAIL); ' +
        'choose one that "ip addr" lists, or bring its interface up',
    });
  });

  it('listen on IPv6 alone beside IPv4 on the same port', async () => {
    await using world = await QuicWorld.start(name, { listen: { address: { ip: '0.0.0.0', port: 0 } } });
    const options = { ...(await world.listenOptions()), address: { ip: '::', port: world.listener.address.port } };
    const six = await world.engine.listen(options, new AcceptAll());
    await world.dial({ remote: { ip: '::1', port: six.address.port } });
    await world.dial({ remote: { ip: '127.0.0.1', port: six.address.port } });
    await until(() => world.servers.length === 1);
    expect(six.socketReceiveBufferBytes).toBeGreaterThan(0);
    await six.close('');
  });

  it('L4 close their connections with words and free the address; a second close is the same close', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const { address } = world.listener;
    await Promise.all([world.listener.close('relay shutting down'), world.listener.close('twice')]);
    expect(server.closed?.kind).toBe('local');
    await until(() => client.closed !== null);
    expect(client.closed).toEqual({ kind: 'peer-application', code: 0, reason: 'relay shutting down' });
    const again = await world.engine.listen({ ...(await world.listenOptions()), address }, new AcceptAll());
    expect(again.address).toEqual(address);
    await world.engine.close();
    await world.engine.close();
    expect(await failureCode(world.engine.listen(await world.listenOptions(), new AcceptAll()))).toBe('closed');
  });
});
