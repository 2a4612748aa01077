import type { Random } from '../../lib/random.ts';
import {
  decodeHandshake,
  decodeHandshakeMessage,
  encodeHandshake,
  encodeHandshakeMessage,
  encodeStreamId,
  extensionFlags,
  handshakeType,
  ownFlags,
  refusalOf,
  srtMagic,
  srtVersion,
  type Handshake,
  type HandshakeExtension,
} from './handshake.ts';
import { encodeKeyMaterial, type StreamKeys } from './key-material.ts';
import { controlType, extensionType, headerBytes, isControl, stamp } from './packet.ts';
import { keyState } from './receive-keys.ts';
import { rejectReason } from './reject-reason.ts';
import type { SrtAgreement } from './srt-agreement.ts';
import { SrtConnection, type SrtConnectionDependencies } from './srt-connection.ts';
import type { KeyBytes, SrtSettings } from './srt-settings.ts';
import { createStreamKeys } from './transmit-keys.ts';
import { timestampOf } from './tsbpd.ts';

export interface SrtCallerDependencies extends SrtConnectionDependencies {
  readonly connected: (connection: SrtConnection) => void;
  /** The handshake ended without a connection; `reason` is one of `rejectReason` or the peer's own. */
  readonly failed: (reason: number) => void;
}

const repeatUs = 250_000;

/**
 * Dials a listener (draft-sharabayko-srt-01 §4.3.1): induction, conclusion, then the connection. One use: after
 * `failed` or `closed` make another.
 */
export class SrtCaller {
  readonly #dependencies: SrtCallerDependencies;
  readonly #settings: SrtSettings;
  readonly #socketId: number;
  readonly #initialSequence: number;
  readonly #startUs: number;
  #phase: 'inducing' | 'concluding' | 'connected' | 'over' = 'inducing';
  #request: Buffer;
  #sentUs = Number.NEGATIVE_INFINITY;
  #keys: { readonly stream: StreamKeys; readonly keyBytes: KeyBytes } | null = null;
  #connection: SrtConnection | null = null;

  /** Sends nothing before the first `tick`. */
  constructor(dependencies: SrtCallerDependencies, settings: SrtSettings, nowUs: number) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#startUs = nowUs;
    this.#socketId = randomWord(dependencies.random) & 0x3fff_ffff || 1;
    this.#initialSequence = randomWord(dependencies.random) & 0x7fff_ffff;
    this.#request = encodeHandshake({
      ...this.#base(),
      version: 4,
      extension: 2,
      type: handshakeType.induction,
    });
  }

  get connection(): SrtConnection | null {
    return this.#connection;
  }

  get nextUs(): number {
    if (this.#connection !== null) return this.#connection.nextUs;
    return this.#phase === 'over' ? Number.POSITIVE_INFINITY : this.#sentUs + repeatUs;
  }

  handle(nowUs: number, packet: Buffer): void {
    if (packet.length < headerBytes || packet.readUInt32BE(12) !== this.#socketId) return;
    const handshaking = isControl(packet) && (packet.readUInt16BE(0) & 0x7fff) === controlType.handshake;
    if (!handshaking) this.#connection?.handle(nowUs, packet);
    else if (this.#phase === 'inducing' || this.#phase === 'concluding') this.#onHandshake(nowUs, packet);
  }

  tick(nowUs: number): void {
    if (this.#connection !== null) {
      this.#connection.tick(nowUs);
      return;
    }
    if (this.#phase === 'over' || nowUs - this.#sentUs < repeatUs) return;
    if (nowUs - this.#startUs >= this.#settings.connectTimeoutMs * 1000) {
      this.#fail(rejectReason.timeout);
      return;
    }
    this.#sendRequest(nowUs);
  }

  /** Ends the connection, or the attempt without a word. Idempotent. */
  close(nowUs: number): void {
    this.#phase = 'over';
    this.#connection?.close(nowUs);
  }

  #onHandshake(nowUs: number, packet: Buffer): void {
    const response = decodeHandshake(packet);
    if (response === null) return;
    const refusal = refusalOf(response);
    if (refusal !== null) this.#fail(refusal);
    else if (this.#phase === 'inducing' && response.type === handshakeType.induction) this.#conclude(nowUs, response);
    else if (this.#phase === 'concluding' && response.type === handshakeType.conclusion) {
      this.#connect(nowUs, response, packet.readUInt32BE(8));
    }
  }

  #conclude(nowUs: number, response: Handshake): void {
    if (response.version !== 5 || response.extension !== srtMagic) {
      this.#fail(rejectReason.version);
      return;
    }
    const { passphrase, streamId } = this.#settings;
    const extensions: HandshakeExtension[] = [{ type: extensionType.handshakeRequest, content: this.#message() }];
    if (passphrase !== null) {
      const keyBytes = advertised(response.encryption) ?? this.#settings.keyBytes ?? 16;
      this.#keys = { stream: createStreamKeys(this.#dependencies.random, keyBytes), keyBytes };
      extensions.push({ type: extensionType.keyRequest, content: encodeKeyMaterial(passphrase, this.#keys.stream) });
    }
    if (streamId !== null) extensions.push({ type: extensionType.streamId, content: encodeStreamId(streamId) });
    this.#phase = 'concluding';
    this.#request = encodeHandshake({
      ...this.#base(),
      version: 5,
      encryption: (this.#keys?.keyBytes ?? 0) / 8,
      extension:
        extensionFlags.handshake |
        (this.#keys === null ? 0 : extensionFlags.key) |
        (streamId === null ? 0 : extensionFlags.config),
      type: handshakeType.conclusion,
      cookie: response.cookie,
      extensions,
    });
    this.#sendRequest(nowUs);
  }

  #connect(nowUs: number, response: Handshake, timestamp: number): void {
    const found = response.extensions.find(({ type }) => type === extensionType.handshakeResponse);
    const message = found === undefined ? null : decodeHandshakeMessage(found.content);
    if (response.version !== 5 || message === null) {
      this.#fail(rejectReason.version);
      return;
    }
    const refused = this.#keyRefusal(response);
    if (refused !== null && this.#settings.enforcedEncryption) {
      this.#fail(refused);
      return;
    }
    const { receiveLatencyMs, peerLatencyMs, streamId } = this.#settings;
    const agreement: SrtAgreement = {
      startUs: this.#startUs,
      socketId: this.#socketId,
      peerSocketId: response.socketId,
      initialSequence: this.#initialSequence,
      receiveLatencyMs: Math.max(receiveLatencyMs, message.sendLatencyMs),
      sendLatencyMs: Math.max(peerLatencyMs, message.receiveLatencyMs),
      flightWindow: Math.max(32, response.flightWindow),
      peerVersion: message.version,
      streamId,
      keys: refused === null ? this.#keys : null,
      heardAtUs: nowUs,
      heardTimestamp: timestamp,
    };
    this.#phase = 'connected';
    this.#connection = new SrtConnection(this.#dependencies, agreement, this.#settings);
    this.#dependencies.connected(this.#connection);
  }

  /** Why the listener has not taken the keys; null when it has, or there are none. */
  #keyRefusal(response: Handshake): number | null {
    const answer = response.extensions.find(({ type }) => type === extensionType.keyResponse);
    if (this.#keys === null) return answer === undefined ? null : rejectReason.unsecure;
    if (answer === undefined) return rejectReason.unsecure;
    if (answer.content.length > 4) return null;
    const state = answer.content.length === 4 ? answer.content.readUInt32BE(0) : keyState.noSecret;
    if (state === keyState.badSecret) return rejectReason.badSecret;
    return state === keyState.badMode ? rejectReason.crypto : rejectReason.unsecure;
  }

  #message(): Buffer {
    const { receiveLatencyMs, peerLatencyMs, tooLateDrop } = this.#settings;
    const flags = ownFlags(tooLateDrop);
    return encodeHandshakeMessage({ version: srtVersion, flags, receiveLatencyMs, sendLatencyMs: peerLatencyMs });
  }

  #sendRequest(nowUs: number): void {
    this.#sentUs = nowUs;
    // Requests go to socket 0, which is the listener; libsrt does not look at the id that its induction named.
    stamp(this.#request, timestampOf(nowUs - this.#startUs), 0);
    this.#dependencies.send(this.#request);
  }

  #fail(reason: number): void {
    this.#phase = 'over';
    this.#dependencies.failed(reason);
  }

  #base(): Handshake {
    return {
      version: 4,
      encryption: 0,
      extension: 0,
      initialSequence: this.#initialSequence,
      mss: this.#settings.mss,
      flightWindow: this.#settings.flightWindow,
      type: handshakeType.induction,
      socketId: this.#socketId,
      cookie: 0,
      extensions: [],
    };
  }
}

/** The key length that a listener asks for in its induction. */
function advertised(encryption: number): KeyBytes | null {
  const bytes = encryption * 8;
  return bytes === 16 || bytes === 24 || bytes === 32 ? bytes : null;
}

/** 32 random bits. */
export function randomWord(random: Random): number {
  return Buffer.from(random.bytes(4)).readUInt32BE(0);
}
