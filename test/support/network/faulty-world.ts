import { createHash } from 'node:crypto';
import { formatSocketAddress, parseSocketAddress } from '../../../src/lib/socket-address.ts';
import type { TunnelProtocol } from '../../../src/protocol/tunnel/leg.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import type { LedgerTotals } from '../../../src/quic/types.ts';
import { FaultyNetwork } from './faulty-network.ts';
import type { Faults } from './faulty-path.ts';
import { knownTunnelId } from '../samples/known-tunnel-id.ts';
import { ScriptedEdge } from '../peers/scripted-edge.ts';
import type { StreamTap } from '../peers/stream-tap.ts';
import { startTestRelay, type TestRelay } from '../programs/test-relay.ts';
import { patienceMs, until } from '../until.ts';
import { vectorTunnel } from '../samples/vectors.ts';

const tunnelId = knownTunnelId(vectorTunnel.id);
/** What the relay writes in front of a stream to the accepting edge. */
const headerBytes = 76;

export interface FaultyWorldOptions {
  readonly engine: EngineName;
  readonly protocol: TunnelProtocol;
  readonly faults?: Partial<Faults>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly seed?: number;
}

/** A relay and a pair of edges on the far side of a faulty network: the egress edge behind it, the ingress edge beside the relay. */
export class FaultyWorld implements AsyncDisposable {
  readonly tunnelId = tunnelId;
  readonly bed: TestRelay;
  readonly network: FaultyNetwork;
  readonly ingress: ScriptedEdge;
  readonly egress: ScriptedEdge;

  private constructor(bed: TestRelay, network: FaultyNetwork, ingress: ScriptedEdge, egress: ScriptedEdge) {
    this.bed = bed;
    this.network = network;
    this.ingress = ingress;
    this.egress = egress;
  }

  static async start(options: FaultyWorldOptions): Promise<FaultyWorld> {
    const { engine, protocol, faults = {}, config = {}, seed = 1 } = options;
    const bed = await startTestRelay({ engine, config });
    const target = parseSocketAddress(bed.address);
    if (target === null) throw new Error(`no address: ${bed.address}`);
    const network = await FaultyNetwork.start({ target, faults, seed });
    const ingress = await bed.edge('near');
    ingress.bind({ tunnelId, direction: 'ingress', protocol });
    await ingress.expect('tunnel_waiting');
    const egress = await ScriptedEdge.connect(bed.edgeEngine, formatSocketAddress(network.address));
    egress.greet('far').bind({ tunnelId, direction: 'egress', protocol });
    await egress.expect('tunnel_ready');
    await ingress.expect('tunnel_ready');
    return new FaultyWorld(bed, network, ingress, egress);
  }

  /** What the leg of this direction has sent, as the relay counts it. */
  sent(direction: 'ingress' | 'egress'): LedgerTotals {
    const detail = this.bed.relay.report.tunnel(tunnelId);
    if (detail === null) throw new Error('the tunnel is gone');
    return detail[direction].sent;
  }

  /** Both ends of a new stream, bytes on their way in both directions, finished by both. */
  async transfer(bytes: number, seed = 1): Promise<Transfer> {
    const up = seededBytes(seed, bytes);
    const down = seededBytes(seed + 1000, bytes);
    const near = this.egress.openData(tunnelId);
    near.send(up);
    near.finish();
    const far = await this.ingress.expectStream(this.ingress.incoming.length + 1);
    far.send(down);
    far.finish();
    return new Transfer({ near, far, up, down });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bed[Symbol.asyncDispose]();
    await this.network.stop();
  }
}

/** A stream that carries known bytes both ways. */
export class Transfer {
  readonly near: StreamTap;
  readonly far: StreamTap;
  readonly #up: Buffer;
  readonly #down: Buffer;

  constructor(parts: { near: StreamTap; far: StreamTap; up: Buffer; down: Buffer }) {
    this.near = parts.near;
    this.far = parts.far;
    this.#up = parts.up;
    this.#down = parts.down;
  }

  get receivedBytes(): number {
    return this.near.receivedBytes + Math.max(0, this.far.receivedBytes - headerBytes);
  }

  /** Waits for both ends and answers whether every byte is right. */
  async isIntact(timeoutMs = patienceMs): Promise<boolean> {
    await until(() => this.near.ended !== null && this.far.ended !== null, {
      what: `both ends; so far ${this.receivedBytes} of ${this.#up.length + this.#down.length} bytes`,
      timeoutMs,
    });
    return (
      this.near.ended?.kind === 'finished' &&
      this.far.ended?.kind === 'finished' &&
      sha256(this.near.received) === sha256(this.#down) &&
      sha256(this.far.received.subarray(headerBytes)) === sha256(this.#up)
    );
  }
}

export function sumOfDrops({ drops }: { readonly drops: Readonly<Record<string, number>> }): number {
  return Object.values(drops).reduce((sum, count) => sum + count, 0);
}

function seededBytes(seed: number, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(`${seed}`).digest();
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
