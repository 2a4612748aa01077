import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../until.ts';
import type { HostileOptions } from './hostile-config.ts';
import { HostileConnection } from './hostile-connection.ts';
import { PacketKeys } from './packet-keys.ts';

/**
 * Frames of any kind in packets that the relay takes for the client's own: it has the client's keys. The library below
 * knows nothing of them, so what it says afterwards may contradict them; that is part of the attack.
 */
export class PacketForge implements AsyncDisposable {
  readonly connection: HostileConnection;
  readonly #keys: PacketKeys;
  readonly #destinationId: Uint8Array;
  #number: number;

  private constructor(connection: HostileConnection, keys: PacketKeys, number: number) {
    this.connection = connection;
    this.#keys = keys;
    this.#destinationId = connection.native.destinationId();
    this.#number = number;
  }

  static async connect(options: Omit<HostileOptions, 'keylogPath'>): Promise<PacketForge> {
    const keylogPath = join(tmpdir(), `adit-keylog-${randomUUID()}`);
    const sent: Buffer[] = [];
    try {
      const connection = await HostileConnection.connect({
        ...options,
        keylogPath,
        outgoing: (packet) => {
          sent.push(packet);
          return [packet];
        },
      });
      connection.native.sendAckEliciting();
      connection.flush();
      const idBytes = connection.native.destinationId().length;
      const sample = await until(() => sent.findLast(isShort), { what: 'a 1-RTT packet of ours' });
      const keys = PacketKeys.find(clientSecret(readFileSync(keylogPath, 'utf8')), sample, idBytes);
      const opened = keys.open(sample, idBytes);
      const forge = new PacketForge(connection, keys, opened?.number ?? 0);
      connection.outgoing = (packet) => {
        forge.#follow(packet);
        return [packet];
      };
      return forge;
    } finally {
      rmSync(keylogPath, { force: true });
    }
  }

  /** One packet with these frames, under the next packet number. */
  send(...frames: readonly Uint8Array[]): void {
    this.connection.sendPacket(this.seal(Buffer.concat(frames)));
  }

  /** As `send`, but the packet is the caller's to change and to send. */
  seal(frames: Uint8Array): Buffer {
    this.#number += 1;
    return this.#keys.seal(this.#destinationId, this.#number, frames);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]();
  }

  /** The library goes on numbering by itself; a number that was used already would be dropped as a repeat. */
  #follow(packet: Buffer): void {
    const opened = this.#keys.open(packet, this.#destinationId.length);
    if (opened !== null) this.#number = Math.max(this.#number, opened.number);
  }
}

function isShort(packet: Buffer): boolean {
  return ((packet[0] ?? 0x80) & 0x80) === 0;
}

function clientSecret(keylog: string): Buffer {
  const hex = /^CLIENT_TRAFFIC_SECRET_0 [0-9a-f]+ ([0-9a-f]+)$/m.exec(keylog)?.[1];
  if (hex === undefined) throw new Error('no client secret in the key log');
  return Buffer.from(hex, 'hex');
}
