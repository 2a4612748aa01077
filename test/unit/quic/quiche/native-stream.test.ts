import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  acceptNative,
  connectNative,
  type NativeConnection,
  receiveNative,
} from '../../../../src/quic/quiche/native.ts';
import { NativeStream } from '../../../../src/quic/quiche/native-stream.ts';
import { clientConfig, serverConfig } from '../../../../src/quic/quiche/tls-config.ts';
import { bareTransport } from '../../../support/bare-listener.ts';
import { createSelfSigned } from '../../../support/certificates.ts';
import { until } from '../../../support/until.ts';

/** Both ends of a connection of quiche, whose packets go where the test wants them. */
class HandCarried {
  readonly client: NativeConnection;
  readonly server: NativeConnection;

  private constructor(client: NativeConnection, server: NativeConnection) {
    this.client = client;
    this.server = server;
  }

  static async connect(): Promise<HandCarried> {
    const { certificatePem, privateKeyPem } = await createSelfSigned();
    const identity = { certificate: certificatePem, privateKey: privateKeyPem };
    const id = randomBytes(16);
    const pair = new HandCarried(
      connectNative(id, 'relay', clientConfig({ kind: 'none' }, bareTransport)),
      acceptNative(randomBytes(16), null, serverConfig(identity, bareTransport)),
    );
    await until(() => {
      pair.carry();
      return pair.client.isEstablished() && pair.server.isEstablished();
    });
    pair.carry();
    return pair;
  }

  /** Until neither end has anything to send. */
  carry(): void {
    for (let moved = 1; moved > 0;) moved = pass(this.client, this.server) + pass(this.server, this.client);
  }
}

/** Answers how many packets went. */
function pass(from: NativeConnection, to: NativeConnection): number {
  const packets = take(from);
  for (const packet of packets) receiveNative(to, packet);
  return packets.length;
}

/** What is taken and not passed on is lost. */
function take(from: NativeConnection): Uint8Array[] {
  const packets: Uint8Array[] = [];
  const room = new Uint8Array(1500);
  for (let sent = from.send(room); sent !== null; sent = from.send(room)) packets.push(room.slice(0, sent[0]));
  return packets;
}

/** What it sends again for that has not left yet. */
async function timedOut(native: NativeConnection): Promise<void> {
  await until(() => native.timeout() === 0);
  native.onTimeout();
}

function streamOf(native: NativeConnection): NativeStream {
  return new NativeStream(native, 0, (error) => expect.unreachable(String(error)));
}

describe('a stream of quiche', () => {
  it('S1 ends cleanly when its FIN came with data that was read before, and quiche forgot it at once', async () => {
    const { client, server } = await HandCarried.connect();
    const [near, far] = [streamOf(client), streamOf(server)];
    const into = new Uint8Array(100);
    near.write(Buffer.from('all'), false);
    pass(client, server);
    expect(far.read(into)).toEqual({ kind: 'data', length: 3, finished: false });
    take(server);
    far.write(Buffer.from('answer'), true);
    pass(server, client);
    expect(near.read(into)).toEqual({ kind: 'data', length: 6, finished: true });
    take(client);
    const nothing = new Uint8Array(0);
    near.write(nothing, true);
    take(client);
    await timedOut(client);
    // EndGuard repeats it, and it leaves in one frame with the data.
    near.write(nothing, true);
    const late = take(client);
    await timedOut(server);
    pass(server, client);
    // The acknowledgement of the answer comes right behind.
    for (const packet of [...late, ...take(client)]) receiveNative(server, packet);
    expect(() => server.streamRecv(0, into)).toThrow('InvalidStreamState');
    expect(far.read(into)).toEqual({ kind: 'data', length: 0, finished: true });
  });
});
