import { streamCode, type StreamCode } from '../../protocol/tunnel/close-code.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { Clock } from '../../lib/clock.ts';
import type { QuicConnection, QuicEngine, QuicStream } from '../../quic/types.ts';
import type { SessionId } from '../tunnels/session-id.ts';
import { legHeldBy, type Leg, type TunnelView } from '../tunnels/tunnel.ts';
import { endStream } from '../../tunnel-wire/end-stream.ts';
import { HeaderReader } from '../../tunnel-wire/read-header.ts';
import { refusalCodes, StreamRefusals, type StreamRefusal } from './stream-refusals.ts';
import { addTraffic, noTraffic, type LegLedgers, type TrafficTotals } from './traffic-totals.ts';
import { TunnelTraffic } from './tunnel-traffic.ts';

export interface ForwarderSettings {
  readonly streamHeaderTimeoutMs: number;
  /** Data streams in all, those whose header has not come yet included. */
  readonly maxOpenStreams: number;
}

/** What the forwarder reads from the owners of sessions, tunnels and connections. */
export interface ForwarderDependencies {
  readonly clock: Clock;
  readonly engine: Pick<QuicEngine, 'createLedger'>;
  tunnel(tunnelId: TunnelId): TunnelView | null;
  connection(sessionId: SessionId): QuicConnection | null;
}

/** Traffic of one tunnel as reports need it. */
export interface TunnelReport {
  readonly totals: TrafficTotals;
  readonly streamsActive: number;
  readonly ledgers: LegLedgers;
}

/**
 * Turns pairings into routes and splices in the engine, which moves the bytes (docs/architecture.md). What it sets is
 * derived from the registry each time, so that it cannot disagree with it for longer than a call.
 */
export class Forwarder {
  readonly #dependencies: ForwarderDependencies;
  readonly #settings: ForwarderSettings;
  readonly #tunnels = new Map<TunnelId, TunnelTraffic>();
  /**
   * Ended tunnels whose ledgers a queue in the engine may still write to: since the last tick, and since the one
   * before.
   */
  #ending = new Set<TunnelTraffic>();
  #settling = new Set<TunnelTraffic>();
  readonly refusals = new StreamRefusals();
  readonly #headers = new Map<SessionId, Set<HeaderReader>>();
  #ended: TrafficTotals = noTraffic;
  #headersOpen = 0;
  #splicesOpen = 0;
  #draining = false;
  #onIdle: (() => void) | null = null;

  constructor(dependencies: ForwarderDependencies, settings: ForwarderSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
  }

  /** Streams of connections that held no leg, or none of the tunnel that the stream named. */
  get unboundStreams(): number {
    return this.refusals.all.not_a_leg ?? 0;
  }

  get streamsActive(): number {
    return this.#splicesOpen;
  }

  /** To be called after each change of the tunnel's legs, before anything else happens. */
  apply(tunnelId: TunnelId): void {
    const view = this.#dependencies.tunnel(tunnelId);
    const known = this.#tunnels.get(tunnelId);
    if (view === null) {
      if (known === undefined) return;
      known.apply({ ingress: null, egress: null }, false);
      this.#tunnels.delete(tunnelId);
      this.refusals.forget(tunnelId);
      this.#ending.add(known);
      return;
    }
    const traffic = known ?? this.#create(tunnelId);
    const legs = { ingress: this.#connection(view.ingress), egress: this.#connection(view.egress) };
    traffic.apply(legs, view.protocol === 'udp');
  }

  /**
   * Takes a data stream from an edge; its header names the tunnel. A stream from an edge without a leg is reset at once
   * and does not count towards `maxOpenStreams`.
   */
  acceptStream(sessionId: SessionId, stream: QuicStream, holdsLeg: boolean): void {
    if (!holdsLeg) {
      this.#refuse(stream, 'not_a_leg', null);
    } else if (this.#draining) {
      this.#refuse(stream, 'shutting_down', null);
    } else if (this.#headersOpen + this.#splicesOpen >= this.#settings.maxOpenStreams) {
      this.#refuse(stream, 'relay_full', null);
    } else {
      this.#readHeader(sessionId, stream);
    }
  }

  /** The session's connection is gone, and with it its streams. */
  sessionClosed(sessionId: SessionId): void {
    const readers = this.#headers.get(sessionId);
    this.#headers.delete(sessionId);
    for (const reader of readers ?? []) {
      reader.cancel();
      this.#headersOpen--;
    }
    this.#callWhenIdle();
  }

  report(tunnelId: TunnelId): TunnelReport | null {
    const traffic = this.#tunnels.get(tunnelId);
    if (traffic === undefined) return null;
    return { totals: traffic.totals(), streamsActive: traffic.streamsActive, ledgers: traffic.ledgers };
  }

  /** The ledgers of every tunnel that has a leg. */
  *ledgers(): Generator<readonly [TunnelId, LegLedgers]> {
    for (const [tunnelId, traffic] of this.#tunnels) yield [tunnelId, traffic.ledgers];
  }

  /** Of all tunnels that there ever were; no number ever falls (conformance T2). */
  totals(): TrafficTotals {
    let sum = this.#ended;
    for (const traffic of [...this.#ending, ...this.#settling]) sum = addTraffic(sum, traffic.totals());
    for (const traffic of this.#tunnels.values()) sum = addTraffic(sum, traffic.totals());
    return sum;
  }

  /** As in `totals`, but cheap. */
  get bytesForwarded(): number {
    let sum = this.#ended.bytesForwarded;
    for (const traffic of this.#ending) sum += traffic.bytesForwarded;
    for (const traffic of this.#settling) sum += traffic.bytesForwarded;
    for (const traffic of this.#tunnels.values()) sum += traffic.bytesForwarded;
    return sum;
  }

  /**
   * To be called at most once a second: moves the numbers of tunnels that ended before the last call into the totals.
   */
  settleEnded(): void {
    for (const traffic of this.#settling) this.#ended = addTraffic(this.#ended, traffic.totals());
    this.#settling = this.#ending;
    this.#ending = new Set();
  }

  /** Refuses new streams; `onIdle` is called once, when no stream is open any more (at once if so now). */
  drain(onIdle: () => void): void {
    this.#draining = true;
    this.#onIdle = onIdle;
    this.#callWhenIdle();
  }

  /** The last thing before the connections are closed: what is still under way ends with a code and a count. */
  stop(): void {
    this.#draining = true;
    for (const traffic of this.#tunnels.values()) {
      traffic.refuseDatagrams();
      traffic.abortStreams(streamCode.shuttingDown);
    }
  }

  #create(tunnelId: TunnelId): TunnelTraffic {
    const { engine } = this.#dependencies;
    const ledgers = { ingress: engine.createLedger(), egress: engine.createLedger() };
    const traffic = new TunnelTraffic(tunnelId, ledgers, () => {
      this.#splicesOpen--;
      this.#callWhenIdle();
    });
    this.#tunnels.set(tunnelId, traffic);
    return traffic;
  }

  #connection(leg: Leg | null): QuicConnection | null {
    return leg === null ? null : this.#dependencies.connection(leg.sessionId);
  }

  #readHeader(sessionId: SessionId, stream: QuicStream): void {
    const readers = this.#headers.get(sessionId) ?? new Set();
    this.#headers.set(sessionId, readers);
    const done = (): void => {
      readers.delete(reader);
      this.#headersOpen--;
    };
    const outcome = {
      onHeader: (tunnelId: TunnelId): void => {
        done();
        const refusal = this.#join(sessionId, stream, tunnelId);
        // Only a tunnel that has a leg is remembered: a header may name any.
        if (refusal !== null) this.#refuse(stream, refusal, this.#tunnels.has(tunnelId) ? tunnelId : null);
        this.#callWhenIdle();
      },
      onFailed: (code: StreamCode): void => {
        done();
        this.refusals.add('bad_header', null);
        endStream(stream, code);
        this.#callWhenIdle();
      },
    };
    const settings = { deadlineMs: this.#settings.streamHeaderTimeoutMs, failsWhenStopped: false };
    const reader = new HeaderReader(this.#dependencies.clock, stream, outcome, settings);
    readers.add(reader);
    this.#headersOpen++;
  }

  /** Null: the stream goes on in a splice. */
  #join(sessionId: SessionId, stream: QuicStream, tunnelId: TunnelId): StreamRefusal | null {
    if (this.#draining) return 'shutting_down';
    const tunnel = this.#dependencies.tunnel(tunnelId);
    const leg = tunnel === null ? null : legHeldBy(tunnel, sessionId);
    if (tunnel === null || leg === null) return 'not_a_leg';
    if (leg.direction !== 'egress' || leg.protocol !== 'tcp') return 'wrong_protocol';
    const ingress = this.#connection(tunnel.ingress);
    if (ingress === null) return 'no_peer';
    if (this.#tunnels.get(tunnelId)?.join(stream, ingress) !== true) return 'edge_full';
    this.#splicesOpen++;
    return null;
  }

  #refuse(stream: QuicStream, refusal: StreamRefusal, tunnelId: TunnelId | null): void {
    this.refusals.add(refusal, tunnelId);
    endStream(stream, refusalCodes[refusal]);
  }

  #callWhenIdle(): void {
    if (this.#onIdle === null || this.#headersOpen > 0 || this.#splicesOpen > 0) return;
    const onIdle = this.#onIdle;
    this.#onIdle = null;
    onIdle();
  }
}
