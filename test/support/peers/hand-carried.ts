import { randomBytes } from 'node:crypto';
import { acceptHandle, connectHandle, type QuicheHandle, receivePacket } from '../../../src/quic/quiche/binding.ts';
import { clientConfig, serverConfig } from '../../../src/quic/quiche/tls-config.ts';
import { bareTransport } from './bare-listener.ts';
import { createSelfSigned } from '../samples/certificates.ts';
import { until } from '../until.ts';

/** Both ends of a connection of quiche, whose packets go where the test wants them. */
export class HandCarried {
  readonly client: QuicheHandle;
  readonly server: QuicheHandle;

  private constructor(client: QuicheHandle, server: QuicheHandle) {
    this.client = client;
    this.server = server;
  }

  static async connect(): Promise<HandCarried> {
    const { certificatePem, privateKeyPem } = await createSelfSigned();
    const identity = { certificate: certificatePem, privateKey: privateKeyPem };
    const id = randomBytes(16);
    const pair = new HandCarried(
      connectHandle(id, 'relay', clientConfig({ kind: 'none' }, bareTransport)),
      acceptHandle(randomBytes(16), null, serverConfig(identity, bareTransport)),
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
export function pass(from: QuicheHandle, to: QuicheHandle): number {
  const packets = take(from);
  for (const packet of packets) receivePacket(to, packet);
  return packets.length;
}

/** What is taken and not passed on is lost. */
export function take(from: QuicheHandle): Uint8Array[] {
  const packets: Uint8Array[] = [];
  const room = new Uint8Array(1500);
  for (let sent = from.send(room); sent !== null; sent = from.send(room)) packets.push(room.slice(0, sent[0]));
  return packets;
}
