import type { RemoteInfo } from 'node:dgram';
import quiche from '@matrixai/quic/native/quiche.js';
import { errorMessage } from '../../../lib/app-error.ts';
import { TokenBucket } from '../../../lib/token-bucket.ts';
import type { IncomingDecision, ListenerHandler, ListenOptions, SocketAddress, TlsIdentity } from '../../types.ts';
import { AddressValidation } from './address-validation.ts';
import type { Endpoint, StrayHandler } from '../endpoint.ts';
import type { EngineParts } from '../engine-parts.ts';
import { initialClose } from './initial-close.ts';
import { acceptHandle, type QuicheConfig, type QuicheHandle } from '../binding.ts';
import { minInitialBytes, ownIdBytes, quicVersion1, type LongHeader } from '../packet-header.ts';
import { withoutZone } from '../peer-path.ts';
import { StatelessReset } from './stateless-reset.ts';
import { serverConfig } from '../tls-config.ts';

/** CONNECTION_REFUSED (RFC 9000 §20.1). */
const connectionRefused = 2;

/**
 * Answers without state per second: resets must reach the edges of a restarted relay within seconds, a flood must cost
 * little.
 */
const resetsPerSecond = 2000;
const refusalsPerSecond = 1000;
const versionAnswersPerSecond = 100;

/** RFC 9000 §7.2. */
const minFirstIdBytes = 8;

/** Decides about packets that belong to no connection: new attempts, and connections of a former life. */
export class Incoming implements StrayHandler {
  readonly #parts: EngineParts;
  readonly #options: ListenOptions;
  readonly #handler: ListenerHandler;
  readonly #validation: AddressValidation;
  readonly #reset: StatelessReset;
  readonly #resets: TokenBucket;
  readonly #refusals: TokenBucket;
  readonly #versionAnswers: TokenBucket;
  readonly #attempts: TokenBucket | null;
  #config: QuicheConfig;
  #accepting = true;
  #endpoint: Endpoint | null = null;

  /** Throws AppError `tls-failed`. */
  constructor(parts: EngineParts, options: ListenOptions, handler: ListenerHandler) {
    this.#parts = parts;
    this.#options = options;
    this.#handler = handler;
    this.#validation = new AddressValidation(parts.random.bytes(32));
    this.#reset = new StatelessReset(options.resetKey, parts.random);
    const bucket = (perSecond: number): TokenBucket =>
      new TokenBucket(parts.clock, { ratePerSecond: perSecond, burst: perSecond });
    this.#resets = bucket(resetsPerSecond);
    this.#refusals = bucket(refusalsPerSecond);
    this.#versionAnswers = bucket(versionAnswersPerSecond);
    this.#attempts = options.retryAfterHandshakesPerSec > 0 ? bucket(options.retryAfterHandshakesPerSec) : null;
    this.#config = serverConfig(options.tls, options.transport);
  }

  /** Where accepted connections live, and answers leave. */
  attach(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
  }

  /** Throws AppError `tls-failed` and keeps the old identity. */
  setTls(tls: TlsIdentity): void {
    this.#config = serverConfig(tls, this.#options.transport);
  }

  stopAccepting(): void {
    this.#accepting = false;
  }

  onLongHeader(packet: Uint8Array, header: LongHeader, remote: RemoteInfo, nowMs: number): boolean {
    const endpoint = this.#endpoint;
    if (endpoint === null || packet.length < minInitialBytes) return false;
    const client = { ip: remote.address, port: remote.port };
    if (header.version !== quicVersion1) return this.#negotiateVersion(endpoint, header, client);
    if (!header.initial || header.destinationId.length < minFirstIdBytes) return false;
    const { token, destinationId } = header;
    const originalId =
      token.length === 0 || destinationId.length !== ownIdBytes
        ? null
        : this.#validation.originalId(token, clientText(client), destinationId, nowMs);
    switch (this.#decide(client, originalId !== null)) {
      case 'accept':
        this.#accept(endpoint, packet, header, originalId, remote, nowMs);
        break;
      case 'retry':
        this.#retry(endpoint, header, client, nowMs);
        break;
      case 'refuse':
        this.#refuse(endpoint, header, client);
        break;
      case 'ignore':
        break;
    }
    return true;
  }

  onUnknownConnection(packet: Uint8Array, remote: RemoteInfo): void {
    if (!this.#resets.tryTake()) return;
    const reset = this.#reset.packet(packet.subarray(1, 1 + ownIdBytes), packet.length);
    if (reset === null) return;
    this.#parts.counters.resetsSent += 1;
    this.#endpoint?.socket.sendCopy(reset, remote.address, remote.port);
  }

  onFailed(error: Error): void {
    this.#handler.onFailed(error);
  }

  #decide(client: SocketAddress, validated: boolean): IncomingDecision {
    if (!this.#accepting) return 'refuse';
    if (this.#attempts?.tryTake() === false && !validated) return 'retry';
    const decision = this.#handler.onIncoming({ remote: { ip: withoutZone(client.ip), port: client.port }, validated });
    return decision === 'retry' && validated ? 'refuse' : decision;
  }

  #accept(
    endpoint: Endpoint,
    packet: Uint8Array,
    header: LongHeader,
    originalId: Uint8Array | null,
    remote: RemoteInfo,
    nowMs: number,
  ): void {
    this.#parts.counters.handshakesStarted += 1;
    // After a Retry the client addresses us by the id that the Retry gave it, and must go on to.
    const connectionId =
      originalId === null ? this.#parts.random.bytes(ownIdBytes) : Uint8Array.from(header.destinationId);
    let handle: QuicheHandle;
    try {
      this.#config.setStatelessResetToken(this.#reset.tokenNumber(connectionId));
      handle = acceptHandle(connectionId, originalId, this.#config);
    } catch (error) {
      // Later, as for any other attempt: the answer to this one is not given back yet.
      this.#parts.loop.later(() =>
        this.#onHandshakeFailed({ ip: withoutZone(remote.address), port: remote.port }, errorMessage(error)),
      );
      return;
    }
    const connection = endpoint.add({
      isServer: true,
      handle,
      connectionId,
      remote: { ip: remote.address, port: remote.port },
      firstId: originalId === null ? Uint8Array.from(header.destinationId) : null,
      onEstablished: () => this.#handler.onConnection(connection),
      onFailed: (info) => this.#onHandshakeFailed(connection.remote, info.reason),
    });
    connection.onPacket(packet, remote, nowMs);
  }

  #onHandshakeFailed(remote: SocketAddress, reason: string): void {
    this.#parts.counters.handshakesFailed += 1;
    this.#handler.onHandshakeFailed(remote, reason);
  }

  #retry(endpoint: Endpoint, header: LongHeader, client: SocketAddress, nowMs: number): void {
    const ownId = this.#parts.random.bytes(ownIdBytes);
    const token = this.#validation.createToken(clientText(client), header.destinationId, ownId, nowMs);
    const out = new Uint8Array(minInitialBytes);
    const length = quiche.retry(header.sourceId, header.destinationId, ownId, token, header.version, out);
    this.#parts.counters.retriesSent += 1;
    endpoint.socket.sendCopy(out.subarray(0, length), client.ip, client.port);
  }

  #refuse(endpoint: Endpoint, header: LongHeader, client: SocketAddress): void {
    if (!this.#refusals.tryTake()) return;
    const packet = initialClose(header, this.#parts.random.bytes(ownIdBytes), connectionRefused);
    this.#parts.counters.refusalsSent += 1;
    endpoint.socket.sendCopy(packet, client.ip, client.port);
  }

  #negotiateVersion(endpoint: Endpoint, header: LongHeader, client: SocketAddress): boolean {
    // Version 0 is version negotiation itself, which only clients may receive.
    if (header.version === 0 || !this.#versionAnswers.tryTake()) return false;
    const { sourceId, destinationId } = header;
    const first = this.#parts.random.bytes(1)[0] ?? 0;
    const answer = Buffer.concat([
      Buffer.from([0xc0 | first, 0, 0, 0, 0, sourceId.length]),
      sourceId,
      Buffer.from([destinationId.length]),
      destinationId,
      Buffer.from([0, 0, 0, quicVersion1]),
    ]);
    endpoint.socket.sendCopy(answer, client.ip, client.port);
    return true;
  }
}

function clientText(client: SocketAddress): string {
  return `${client.ip} ${client.port}`;
}
