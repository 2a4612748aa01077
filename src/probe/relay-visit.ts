import { readRelayMessages } from '../edge/uplink/relay-messages.ts';
import type { AppErrorCode } from '../lib/app-error.ts';
import { AppError, errorMessage } from '../lib/app-error.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { encodeEdgeMessage, type MessageOf, type RelayMessage } from '../protocol/tunnel/control-message.ts';
import { encodeFrame } from '../protocol/tunnel/frame.ts';
import { EDGE_FEATURES, HELLO_ACK_WAIT_MS, PROTOCOL_VERSION } from '../protocol/tunnel/limits.ts';
import type { CloseInfo, ConnectionStats } from '../quic/connection-report.ts';
import type { ConnectionHandler, DialOptions, QuicConnection, QuicEngine, QuicStream } from '../quic/types.ts';

/** What a relay shows to an edge that has not bound anything. */
export interface VisitFacts {
  readonly handshakeMs: number;
  /** The leaf (DER); null where the engine does not know. */
  readonly certificate: Uint8Array | null;
  /** Null: no answer to hello within 2 s, as of relays that know none. */
  readonly greeting: MessageOf<RelayMessage, 'hello_ack'> | null;
  /** One round trip for each ping that was answered. */
  readonly rttsMs: readonly number[];
  readonly pings: number;
  /** Null: the relay ended the visit before anything was read. */
  readonly stats: ConnectionStats | null;
  /** Why the relay ended the visit before its time; null when it did not. */
  readonly endedBy: string | null;
}

export type Visit =
  | { readonly kind: 'visited'; readonly facts: VisitFacts }
  /** No connection; the codes are those of `QuicEngine.dial`. */
  | { readonly kind: 'failed'; readonly code: AppErrorCode; readonly reason: string };

export interface VisitDependencies {
  readonly engine: Pick<QuicEngine, 'dial'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly softwareVersion: string;
}

const pauseMs = 25;
/** A relay takes 64 KiB before the first bind: this many pings fill a whole packet, the rest are short. */
const largePings = 16;
/** Makes a ping fill the largest packet of QUIC that an edge sends; relays ignore fields that they do not know. */
const filling = 'x'.repeat(1300);

/** Connects as an edge does, says hello and pings for `durationMs`; binds nothing. */
export async function visitRelay(
  options: Omit<DialOptions, 'signal'>,
  durationMs: number,
  dependencies: VisitDependencies,
): Promise<Visit> {
  const { engine, clock } = dependencies;
  const visitor = new Visitor(dependencies);
  const startedAtMs = clock.monotonicMs();
  const deadline = new AbortController();
  const timer = clock.setTimeout(() => deadline.abort(), options.transport.handshakeTimeoutMs);
  try {
    const connection = await engine.dial({ ...options, signal: deadline.signal }, visitor);
    const handshakeMs = clock.monotonicMs() - startedAtMs;
    return { kind: 'visited', facts: { handshakeMs, ...(await visitor.stay(connection, durationMs)) } };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { kind: 'failed', code: deadline.signal.aborted ? 'timed-out' : error.code, reason: errorMessage(error) };
  } finally {
    timer.cancel();
  }
}

class Visitor implements ConnectionHandler {
  readonly #dependencies: VisitDependencies;
  readonly #rttsMs: number[] = [];
  readonly #greeted = Promise.withResolvers<undefined>();
  readonly #over = Promise.withResolvers<undefined>();
  #greeting: VisitFacts['greeting'] = null;
  #endedBy: string | null = null;
  #control: QuicStream | null = null;
  #connection: QuicConnection | null = null;
  /** The last that was read; an ended connection has none. */
  #stats: ConnectionStats | null = null;
  #pings = 0;
  #pingedAtMs = 0;
  #nextPing: Timer | null = null;

  constructor(dependencies: VisitDependencies) {
    this.#dependencies = dependencies;
  }

  async stay(connection: QuicConnection, durationMs: number): Promise<Omit<VisitFacts, 'handshakeMs'>> {
    const { clock, logger, softwareVersion } = this.#dependencies;
    const control = connection.openBidi();
    if (control === null) throw new AppError('connect-failed', 'the relay grants no control stream');
    this.#connection = connection;
    this.#control = control;
    const certificate = connection.peerCertificate;
    readRelayMessages(control, logger, {
      onHeard: () => undefined,
      onMessage: (message) => this.#receive(message),
      onEnd: () => this.#end('the relay ended the control stream'),
    });
    const hello = {
      protocol_version: PROTOCOL_VERSION,
      software_version: softwareVersion,
      features: [...EDGE_FEATURES],
    };
    control.write(encodeEdgeMessage({ type: 'hello', ...hello }));
    const impatience = clock.setTimeout(() => this.#greeted.resolve(undefined), HELLO_ACK_WAIT_MS);
    await Promise.race([this.#greeted.promise, this.#over.promise]);
    impatience.cancel();
    const leaving = clock.setTimeout(() => this.#over.resolve(undefined), durationMs);
    this.#ping();
    await this.#over.promise;
    leaving.cancel();
    this.#nextPing?.cancel();
    this.#readStats();
    connection.close(0, 'probe is done');
    return {
      certificate,
      greeting: this.#greeting,
      rttsMs: this.#rttsMs,
      pings: this.#pings,
      stats: this.#stats,
      endedBy: this.#endedBy,
    };
  }

  onStream(): void {
    // A relay opens streams to an edge that has bound a tunnel; this one has none.
  }

  onDatagram(): void {
    // As for streams.
  }

  onAddressChange(): void {
    // A relay that moves is still the relay.
  }

  onClosed(info: CloseInfo): void {
    this.#end(info.reason === '' ? info.kind : info.reason);
  }

  #receive(message: RelayMessage): void {
    const { clock } = this.#dependencies;
    if (message.type === 'hello_ack') {
      this.#greeting = message;
      this.#greeted.resolve(undefined);
    }
    if (message.type !== 'pong' || this.#nextPing !== null) return;
    this.#readStats();
    this.#rttsMs.push(clock.monotonicMs() - this.#pingedAtMs);
    this.#nextPing = clock.setTimeout(() => this.#ping(), pauseMs);
  }

  /** One at a time: a lost packet then delays one answer, not all that follow it on the stream. */
  #ping(): void {
    this.#nextPing = null;
    if (this.#endedBy !== null) return;
    const isLarge = this.#pings % 2 === 1 && this.#pings < 2 * largePings;
    this.#pings++;
    this.#pingedAtMs = this.#dependencies.clock.monotonicMs();
    this.#control?.write(isLarge ? encodeFrame({ type: 'ping', filling }) : encodeEdgeMessage({ type: 'ping' }));
  }

  #readStats(): void {
    if (this.#endedBy === null) this.#stats = this.#connection?.stats() ?? null;
  }

  #end(reason: string): void {
    this.#endedBy ??= reason;
    this.#over.resolve(undefined);
  }
}
