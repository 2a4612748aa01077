import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../../../src/lib/clock.ts';
import type { Faults } from '../../../support/network/faulty-path.ts';
import { FaultyNetwork } from '../../../support/network/faulty-network.ts';
import { until } from '../../../support/until.ts';

/** A UDP socket that remembers what came, and from whom. */
class Peer implements AsyncDisposable {
  readonly socket: Socket;
  readonly received: { readonly text: string; readonly from: RemoteInfo }[] = [];

  #closed = false;

  private constructor(socket: Socket, echo: boolean) {
    this.socket = socket;
    socket.on('message', (packet, from) => {
      this.received.push({ text: packet.toString(), from });
      if (echo) socket.send(packet, from.port, from.address);
    });
  }

  static async open(options: { echo: boolean }): Promise<Peer> {
    const socket = createSocket('udp4');
    socket.bind({ address: '127.0.0.1', port: 0 });
    await once(socket, 'listening');
    return new Peer(socket, options.echo);
  }

  get texts(): string[] {
    return this.received.map(({ text }) => text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }
}

async function world(faults: Partial<Faults> = {}, sourceIp?: (client: number) => string) {
  const server = await Peer.open({ echo: true });
  const client = await Peer.open({ echo: false });
  const { address, port } = server.socket.address();
  const network = await FaultyNetwork.start({
    target: { ip: address, port },
    faults,
    ...(sourceIp === undefined ? {} : { sourceIp }),
  });
  const say = (text: string): void => client.socket.send(text, network.address.port, network.address.ip);
  return {
    server,
    client,
    network,
    say,
    async [Symbol.asyncDispose]() {
      await network.stop();
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('the faulty network', () => {
  it('carries packets both ways', async () => {
    await using at = await world();
    at.say('one');
    at.say('two');
    await until(() => at.client.texts.length === 2);
    expect(at.client.texts.toSorted()).toEqual(['one', 'two']);
    expect(at.network.up.delivered).toBe(2);
    expect(at.network.down.delivered).toBe(2);
  });

  it('delays packets, and forgets those under way when it stops', async () => {
    await using at = await world({ delayMs: 30 });
    const clock = new SystemClock();
    const before = clock.monotonicMs();
    at.say('one');
    await until(() => at.client.texts.length === 1);
    expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(59);
    at.say('two');
    await until(() => at.network.up.packets === 2);
    await at.network.stop();
    expect(at.server.texts).toEqual(['one']);
  });

  it('cuts each direction on its own and heals while it runs', async () => {
    await using at = await world();
    at.network.partition('down');
    at.say('unanswered');
    await until(() => at.network.down.lost === 1);
    at.network.heal();
    at.network.partition('up');
    at.say('unheard');
    await until(() => at.network.up.lost === 1);
    at.network.heal();
    at.say('heard');
    await until(() => at.client.texts.length === 1);
    expect(at.server.texts).toEqual(['unanswered', 'heard']);
  });

  it('gives a client a new port, and sends nothing that comes to the old one back', async () => {
    await using at = await world();
    at.say('before');
    await until(() => at.client.texts.length === 1);
    const old = at.server.received[0]?.from;
    await at.network.rebind();
    at.server.socket.send('to the old port', old?.port, old?.address);
    at.say('after');
    await until(() => at.client.texts.length === 2);
    expect(at.client.texts).toEqual(['before', 'after']);
    expect(at.server.received[1]?.from.port).not.toBe(old?.port);
  });

  it('lets clients come from addresses of the test’s choice, and moves them to another', async () => {
    await using at = await world({}, (client) => `127.0.1.${client + 1}`);
    at.say('one');
    await until(() => at.client.texts.length === 1);
    await at.network.rebind(() => true, '127.0.2.1');
    at.say('two');
    await until(() => at.client.texts.length === 2);
    expect(at.server.received.map(({ from }) => from.address)).toEqual(['127.0.1.1', '127.0.2.1']);
  });

  it('survives a target that is not there', async () => {
    await using at = await world();
    at.say('one');
    await until(() => at.client.texts.length === 1);
    await at.server[Symbol.asyncDispose]();
    at.say('two');
    at.say('three');
    await until(() => at.network.up.packets === 3);
    expect(at.client.texts).toEqual(['one']);
  });
});
