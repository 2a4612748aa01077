import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/lib/app-error.ts';
import type { QuicEngine } from '../../../../src/quic/types.ts';
import { EdgeListeners } from '../../../../src/relay/reception/edge-listeners.ts';
import { MemoryNetwork, type MemoryListener } from '../../../support/fakes/memory-quic.ts';
import { MemoryRelay } from '../../../support/programs/memory-relay.ts';
import { pairTunnel } from '../../../support/programs/relay-pair.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';

function listenerOf(bed: MemoryRelay, address: string): MemoryListener {
  const listener = bed.network.listeners.get(address);
  if (listener === undefined) throw new Error(`nobody listens on ${address}`);
  return listener;
}

function listenersOn(engine: QuicEngine): EdgeListeners {
  return new EdgeListeners({
    clock: new ManualClock(),
    engine,
    logger: new RecordingLogger(),
    hostAddresses: () => [],
    handlerFor: () => ({
      onIncoming: () => 'ignore',
      onConnection: () => new Error('never') as never,
      onHandshakeFailed: () => {},
    }),
  });
}

describe('the listeners for edges', () => {
  it('T3 go on without an address whose socket has failed, and say so; without any the relay is not ready', async () => {
    const logger = new RecordingLogger();
    const config = { quic_addrs: ['127.0.0.1:4433', '127.0.0.1:4434'] };
    const bed = await MemoryRelay.start({ config, logger });
    listenerOf(bed, '127.0.0.1:4434').handler.onFailed(new Error('the socket broke'));
    expect(bed.relay.addresses).toEqual(['127.0.0.1:4433']);
    expect(bed.relay.health()).toMatchObject({ status: 'degraded', reasons: ['127.0.0.1:4434: the socket broke'] });
    expect(bed.relay.notReadyReasons()).toEqual([]);
    listenerOf(bed, '127.0.0.1:4433').handler.onFailed(new Error('this one, too'));
    expect(bed.relay.notReadyReasons()).toEqual(['no QUIC address is bound']);
    expect(bed.relay.health().reasons).toContain('127.0.0.1:4433: this one, too');
    expect(logger.messages('warn')).toHaveLength(2);
  });

  it('try an address again until they have it, with the certificate that is in force by then', async () => {
    const config = { quic_addrs: ['127.0.0.1:4433', '127.0.0.1:4434'] };
    const logger = new RecordingLogger();
    const bed = await MemoryRelay.start({ config, logger });
    const failed = listenerOf(bed, '127.0.0.1:4434');
    failed.handler.onFailed(new Error('the socket broke'));
    bed.relay.setTls({ certificate: 'new', privateKey: 'new' });
    await bed.pass(0);
    const other = await bed.network.engine().listen({ ...failed.options, address: failed.address }, failed.handler);
    await bed.pass(10_000);
    expect(bed.relay.health().reasons).toEqual(['127.0.0.1:4434 is in use']);
    await other.close('somebody else gives the address up');
    await bed.pass(5_000);
    expect(bed.relay.health()).toMatchObject({ status: 'ok', reasons: [] });
    expect(bed.relay.addresses).toEqual(['127.0.0.1:4433', '127.0.0.1:4434']);
    expect(listenerOf(bed, '127.0.0.1:4434').tls.certificate).toBe('new');
    expect(logger.messages('warn')).toHaveLength(2);
    const stopped = bed.relay.stop(0);
    await bed.pass(60_000);
    await stopped;
    expect(bed.network.listeners.size).toBe(0);
  });

  it('give the address of a socket that failed up, so that the next try has it', async () => {
    const bed = await MemoryRelay.start({ config: { quic_addrs: ['127.0.0.1:4433', '127.0.0.1:4434'] } });
    listenerOf(bed, '127.0.0.1:4434').handler.onFailed(new Error('the socket broke'));
    await bed.pass(5_000);
    expect(bed.relay.health()).toMatchObject({ status: 'ok', reasons: [] });
    expect(bed.relay.addresses).toEqual(['127.0.0.1:4433', '127.0.0.1:4434']);
  });

  it('give an address that is taken just now the certificate that came meanwhile', async () => {
    const network = new MemoryNetwork();
    const engine = network.engine();
    const taking = Promise.withResolvers<undefined>();
    const listen = engine.listen.bind(engine);
    engine.listen = async (...asked) => {
      if (asked[0].address.port === 4434) await taking.promise;
      return listen(...asked);
    };
    const listeners = listenersOn(engine);
    const options = { tls: { certificate: 'old', privateKey: 'old' }, resetKey: new Uint8Array(32) };
    const addresses = [4433, 4434].map((port) => ({ ip: '127.0.0.1', port }));
    const opened = listeners.open(addresses, options as never);
    await new Promise(setImmediate);
    listeners.setTls({ certificate: 'new', privateKey: 'new' });
    taking.resolve(undefined);
    await opened;
    expect([...network.listeners.values()].map(({ tls }) => tls.certificate)).toEqual(['new', 'new']);
    await listeners.close('the end');
  });

  it('tell of handshakes that fail', async () => {
    const bed = await MemoryRelay.start();
    const { handler } = listenerOf(bed, '127.0.0.1:4433');
    handler.onHandshakeFailed({ ip: '192.0.2.9', port: 9 }, 'no application protocol');
    expect(bed.events.map(({ report }) => [report.message, report.details])).toEqual([
      [
        'QUIC connection accept failed: no application protocol',
        { error: 'no application protocol', bind_addr: '127.0.0.1:4433' },
      ],
    ]);
  });

  it.each([
    ['0.0.0.0:4433', ['192.0.2.1', '198.51.100.1'], 1],
    ['0.0.0.0:4433', ['192.0.2.1', '2001:db8::1'], 0],
    ['192.0.2.1:4433', ['192.0.2.1', '198.51.100.1'], 0],
  ])('on %s of a host with %j give %i warnings', async (address, hostAddresses, count) => {
    const logger = new RecordingLogger();
    await MemoryRelay.start({ config: { quic_addrs: [address] }, hostAddresses, logger });
    expect(logger.messages('warn')).toHaveLength(count);
  });

  it.each([
    [new Error('no such certificate'), 'no such certificate'],
    [
      new AppError('address-unavailable', '127.0.0.1:1 is in use'),
      'no QUIC address could be bound: 127.0.0.1:1 is in use',
    ],
  ])('do not go on after an error that no other address mends: %s', async (error, message) => {
    const engine = new MemoryNetwork().engine();
    engine.listen = () => Promise.reject(error);
    const listeners = listenersOn(engine);
    const options = { tls: { certificate: '', privateKey: '' }, resetKey: new Uint8Array(32) };
    const open = listeners.open([{ ip: '127.0.0.1', port: 1 }], options as never);
    await expect(open).rejects.toMatchObject({ message });
  });

  it('give new connections a renewed certificate, and new connections only', async () => {
    const bed = await MemoryRelay.start();
    const edge = bed.edge().bind({ tunnelId: pairTunnel, direction: 'ingress' });
    bed.relay.setTls({ certificate: 'new', privateKey: 'new' });
    bed.run();
    expect(listenerOf(bed, '127.0.0.1:4433').tls.certificate).toBe('new');
    expect(edge.ofType('tunnel_waiting')).toHaveLength(1);
  });
});
