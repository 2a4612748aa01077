import type { NodeKind } from '../store/schema.ts';
import { KeptFrame } from './kept-frame.ts';
import { readStats } from './node-frame.ts';

/** A node's newest stats and health, in memory only. */
export interface Snapshot {
  readonly at: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What a session lets others do with its node. */
export interface NodeChannel {
  readonly bufferedBytes: number;
  send(frame: string): void;
  close(code: number, reason: string): void;
}

/** A node that is connected to this instance. */
export class LiveNode {
  readonly id: string;
  readonly name: string;
  readonly kind: NodeKind;
  readonly session: number;
  readonly remoteAddr: string;
  readonly connectedAt: number;
  readonly connectedAtMs: number;
  /** Milliseconds since the epoch; null for never. */
  readonly expiresAt: number | null;
  /** The row of the secret that it got in this session and has not shown yet to have got. */
  issuedSecretId: string | null;
  readonly #channel: NodeChannel;
  readonly #stats = new KeptFrame();
  /** What was read of the newest frame. A list reads it once for each of the node's tunnels, nothing else keeps it. */
  #readStats: WeakRef<Snapshot> | null = null;
  #health: Snapshot | null = null;

  constructor(
    facts: Pick<
      LiveNode,
      | 'id'
      | 'name'
      | 'kind'
      | 'session'
      | 'remoteAddr'
      | 'connectedAt'
      | 'connectedAtMs'
      | 'expiresAt'
      | 'issuedSecretId'
    >,
    channel: NodeChannel,
  ) {
    this.id = facts.id;
    this.name = facts.name;
    this.kind = facts.kind;
    this.session = facts.session;
    this.remoteAddr = facts.remoteAddr;
    this.connectedAt = facts.connectedAt;
    this.connectedAtMs = facts.connectedAtMs;
    this.expiresAt = facts.expiresAt;
    this.issuedSecretId = facts.issuedSecretId;
    this.#channel = channel;
  }

  get bufferedBytes(): number {
    return this.#channel.bufferedBytes;
  }

  /** Read now, from the frame as it came. */
  get stats(): Snapshot | null {
    const known = this.#readStats?.deref();
    if (known !== undefined) return known;
    const payload = readStats(this.#stats.bytes);
    if (payload === null) return null;
    const read = { at: this.#stats.at, payload };
    this.#readStats = new WeakRef(read);
    return read;
  }

  get health(): Snapshot | null {
    return this.#health;
  }

  send(frame: string): void {
    this.#channel.send(frame);
  }

  close(code: number, reason: string): void {
    this.#channel.close(code, reason);
  }

  keepStats(bytes: Uint8Array, at: number): void {
    this.#stats.put(bytes, at);
    this.#readStats = null;
  }

  keepHealth(payload: Readonly<Record<string, unknown>>, at: number): void {
    this.#health = { at, payload };
  }
}
