import { streamCode } from '../../protocol/tunnel/close-code.ts';
import { DIRECTIONS, type Direction } from '../../protocol/tunnel/leg.ts';
import { encodeStreamHeader } from '../../protocol/tunnel/stream-header.ts';
import { tunnelIdToBytes, type TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { DatagramTarget, QuicConnection, QuicStream, RouteHandle, SpliceHandle } from '../../quic/types.ts';
import { tunnelTotals, type LegLedgers, type TrafficTotals } from './traffic-totals.ts';

/** The connections that hold a tunnel's legs now. */
export interface LegConnections {
  readonly ingress: QuicConnection | null;
  readonly egress: QuicConnection | null;
}

interface Route {
  readonly connection: QuicConnection;
  readonly target: DatagramTarget;
  readonly handle: RouteHandle;
}

interface Splice {
  readonly ingress: QuicConnection;
  readonly egress: QuicConnection;
  readonly handle: SpliceHandle;
}

/** What moves through one tunnel: the routes and splices that its pairing calls for, and its ledgers. */
export class TunnelTraffic {
  readonly #id: TunnelId;
  readonly #prefix: Uint8Array;
  readonly #ledgers: LegLedgers;
  readonly #onStreamEnd: () => void;
  readonly #routes: Record<Direction, Route | null> = { ingress: null, egress: null };
  readonly #splices = new Set<Splice>();
  #streamsTotal = 0;

  constructor(id: TunnelId, ledgers: LegLedgers, onStreamEnd: () => void) {
    this.#id = id;
    this.#prefix = tunnelIdToBytes(id);
    this.#ledgers = ledgers;
    this.#onStreamEnd = onStreamEnd;
  }

  get ledgers(): LegLedgers {
    return this.#ledgers;
  }

  get streamsActive(): number {
    return this.#splices.size;
  }

  totals(): TrafficTotals {
    return tunnelTotals(this.#ledgers, this.#streamsTotal);
  }

  /** As in `totals`, but cheap. */
  get bytesForwarded(): number {
    return this.#ledgers.ingress.bytesOut + this.#ledgers.egress.bytesOut;
  }

  /** Brings routes and splices in line with who holds the legs; a leg that changed hands is cut off at once (I2). */
  apply(legs: LegConnections, carriesDatagrams: boolean): void {
    for (const splice of this.#splices) {
      if (splice.ingress !== legs.ingress || splice.egress !== legs.egress) splice.handle.abort(streamCode.legGone);
    }
    for (const direction of DIRECTIONS) this.#route(direction, legs, carriesDatagrams);
  }

  /** From now on every datagram of this tunnel is dropped as `closing`. */
  refuseDatagrams(): void {
    for (const direction of DIRECTIONS) {
      const connection = this.#routes[direction]?.connection;
      if (connection !== undefined) this.#set(direction, connection, { kind: 'drop', reason: 'closing' });
    }
  }

  abortStreams(code: number): void {
    for (const splice of this.#splices) splice.handle.abort(code);
  }

  /** Joins a stream that the egress leg opened to one on the ingress leg; false when that one grants no stream now. */
  join(stream: QuicStream, ingress: QuicConnection): boolean {
    const onward = ingress.openBidi();
    if (onward === null) return false;
    onward.write(encodeStreamHeader(this.#id));
    const handle = stream.splice(onward, {
      forward: this.#ledgers.egress,
      backward: this.#ledgers.ingress,
      lostCode: streamCode.legGone,
      onEnd: () => {
        this.#splices.delete(splice);
        this.#onStreamEnd();
      },
    });
    const splice: Splice = { ingress, egress: stream.connection, handle };
    this.#splices.add(splice);
    this.#streamsTotal++;
    return true;
  }

  #route(direction: Direction, legs: LegConnections, carriesDatagrams: boolean): void {
    const connection = legs[direction];
    const to = direction === 'ingress' ? legs.egress : legs.ingress;
    if (connection === null) {
      this.#routes[direction]?.handle.withdraw();
      this.#routes[direction] = null;
    } else {
      this.#set(direction, connection, targetFor(to, carriesDatagrams));
    }
  }

  #set(direction: Direction, connection: QuicConnection, target: DatagramTarget): void {
    const current = this.#routes[direction];
    if (current?.connection === connection && sameTarget(current.target, target)) return;
    // On the same connection the new route replaces the old one at once: no datagram falls between the two.
    if (current !== null && current.connection !== connection) current.handle.withdraw();
    const handle = connection.routeDatagrams(this.#prefix, target, this.#ledgers[direction]);
    this.#routes[direction] = { connection, target, handle };
  }
}

function targetFor(to: QuicConnection | null, carriesDatagrams: boolean): DatagramTarget {
  if (!carriesDatagrams) return { kind: 'drop', reason: 'wrong_protocol' };
  return to === null ? { kind: 'drop', reason: 'no_peer' } : { kind: 'forward', to };
}

function sameTarget(a: DatagramTarget, b: DatagramTarget): boolean {
  if (a.kind === 'forward') return b.kind === 'forward' && a.to === b.to;
  return b.kind === 'drop' && a.reason === b.reason;
}
