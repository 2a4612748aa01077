import type { Random } from '../../lib/random.ts';
import {
  decodeHandshake,
  decodeHandshakeMessage,
  decodeStreamId,
  encodeHandshake,
  encodeHandshakeMessage,
  extensionFlags,
  handshakeType,
  ownFlags,
  peerFlags,
  refuse,
  srtMagic,
  srtVersion,
  type Handshake,
  type HandshakeExtension,
  type HandshakeMessage,
} from './handshake.ts';
import { ListenerCookie } from './listener-cookie.ts';
import { ListenerKeys, type KeyVerdict } from './listener-keys.ts';
import { controlType, extensionType, headerBytes, isControl, stamp } from './packet.ts';
import { rejectReason } from './reject-reason.ts';
import type { SrtAgreement } from './srt-agreement.ts';
import { randomWord } from './srt-caller.ts';
import { SrtConnection, type CloseReason } from './srt-connection.ts';
import type { SrtSettings } from './srt-settings.ts';
import { timestampOf } from './tsbpd.ts';

/** Where a packet came from. */
export interface SrtRemote {
  readonly address: string;
  readonly port: number;
}

/** A caller that asks to be let in; the passphrase was right, or none is needed. */
export interface SrtAdmission {
  readonly remote: SrtRemote;
  readonly streamId: string | null;
}

/** What becomes of a connection that was let in. */
export interface SrtConnectionObserver {
  deliver(payload: Buffer, dueUs: number): void;
  closed(reason: CloseReason): void;
}

export interface SrtListenerDependencies {
  readonly random: Random;
  readonly send: (packet: Buffer, remote: SrtRemote) => void;
  /** Whether a stream id is welcome at all; asked before any work is done for the caller. */
  readonly knows: (streamId: string | null) => boolean;
  /** Null lets the caller in; otherwise why not (see `rejectReason`). */
  readonly admit: (nowUs: number, admission: SrtAdmission) => number | null;
  readonly accepted: (connection: SrtConnection, admission: SrtAdmission) => SrtConnectionObserver;
  /** A caller was turned away (see `rejectReason`). */
  readonly refused: (remote: SrtRemote, reason: number) => void;
}

interface Accepted {
  readonly connection: SrtConnection;
  readonly remote: SrtRemote;
  readonly response: Buffer;
}

/** Takes callers at one address; keeps nothing of one before its cookie has come back with the conclusion. */
export class SrtListener {
  readonly #dependencies: SrtListenerDependencies;
  readonly #settings: SrtSettings;
  readonly #cookie: ListenerCookie;
  readonly #keys: ListenerKeys;
  readonly #socketId: number;
  readonly #bySocketId = new Map<number, Accepted>();
  /** By address, port and the caller's socket id. */
  readonly #byCaller = new Map<string, Accepted>();
  /** Malformed handshakes, or with the cookie of another caller. */
  malformed = 0;

  constructor(dependencies: SrtListenerDependencies, settings: SrtSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#cookie = new ListenerCookie(dependencies.random.bytes(32));
    this.#keys = new ListenerKeys(settings);
    this.#socketId = randomWord(dependencies.random) & 0x3fff_ffff || 1;
  }

  get connections(): readonly SrtConnection[] {
    return [...this.#bySocketId.values()].map(({ connection }) => connection);
  }

  get nextUs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { connection } of this.#bySocketId.values()) next = Math.min(next, connection.nextUs);
    return next;
  }

  handle(nowUs: number, packet: Buffer, remote: SrtRemote): void {
    if (packet.length < headerBytes) return;
    if (isControl(packet) && (packet.readUInt16BE(0) & 0x7fff) === controlType.handshake) {
      this.#onHandshake(nowUs, packet, remote);
      return;
    }
    const accepted = this.#bySocketId.get(packet.readUInt32BE(12));
    if (accepted?.remote.port === remote.port && accepted.remote.address === remote.address) {
      accepted.connection.handle(nowUs, packet);
    }
  }

  tick(nowUs: number): void {
    for (const { connection } of this.#bySocketId.values()) {
      if (connection.nextUs <= nowUs) connection.tick(nowUs);
    }
  }

  /** Closes every connection. */
  close(nowUs: number): void {
    for (const { connection } of this.#bySocketId.values()) connection.close(nowUs);
  }

  #onHandshake(nowUs: number, packet: Buffer, remote: SrtRemote): void {
    const request = decodeHandshake(packet);
    const name = `${remote.address} ${remote.port}`;
    if (request?.type === handshakeType.induction) {
      this.#answer(nowUs, packet, remote, {
        ...request,
        version: 5,
        encryption: (this.#settings.keyBytes ?? 0) / 8,
        extension: srtMagic,
        socketId: this.#socketId,
        cookie: this.#cookie.issue(nowUs, name),
        extensions: [],
      });
    } else if (request?.type === handshakeType.conclusion && this.#cookie.accepts(nowUs, name, request.cookie)) {
      const again = this.#byCaller.get(`${name} ${request.socketId}`);
      if (again === undefined) this.#onConclusion(nowUs, packet, request, remote);
      else this.#respond(nowUs, again);
    } else {
      this.malformed++;
    }
  }

  #onConclusion(nowUs: number, packet: Buffer, request: Handshake, remote: SrtRemote): void {
    const refused = (reason: number): void => {
      this.#dependencies.refused(remote, reason);
      this.#answer(nowUs, packet, remote, refuse(request, reason));
    };
    const streamId = streamIdOf(request);
    if (streamId === undefined || !this.#dependencies.knows(streamId)) {
      refused(rejectReason.forbidden);
      return;
    }
    const message = messageOf(request);
    if (typeof message === 'number') {
      refused(message);
      return;
    }
    const verdict = this.#keys.check(nowUs, request);
    if (verdict.kind === 'later') return;
    const admission = { remote, streamId };
    const reason = verdict.kind === 'refused' ? verdict.reason : this.#dependencies.admit(nowUs, admission);
    if (verdict.kind === 'refused' || reason !== null) refused(reason ?? rejectReason.unknown);
    else this.#accept(nowUs, packet, { request, message, admission, verdict });
  }

  #accept(
    nowUs: number,
    packet: Buffer,
    caller: {
      readonly request: Handshake;
      readonly message: HandshakeMessage;
      readonly admission: SrtAdmission;
      readonly verdict: Extract<KeyVerdict, { kind: 'ok' }>;
    },
  ): void {
    const { request, message, admission, verdict } = caller;
    const { remote } = admission;
    const agreement: SrtAgreement = {
      startUs: nowUs,
      socketId: this.#freshSocketId(),
      peerSocketId: request.socketId,
      initialSequence: request.initialSequence,
      receiveLatencyMs: Math.max(this.#settings.receiveLatencyMs, message.sendLatencyMs),
      sendLatencyMs: Math.max(this.#settings.peerLatencyMs, message.receiveLatencyMs),
      flightWindow: Math.max(32, request.flightWindow),
      peerVersion: message.version,
      streamId: admission.streamId,
      keys: verdict.keys,
      heardAtUs: nowUs,
      heardTimestamp: packet.readUInt32BE(8),
    };
    const response = this.#response(request, agreement, verdict.answer);
    const key = `${remote.address} ${remote.port} ${request.socketId}`;
    let observer: SrtConnectionObserver | null = null;
    const connection = new SrtConnection(
      {
        random: this.#dependencies.random,
        send: (bytes) => this.#dependencies.send(bytes, remote),
        deliver: (payload, dueUs) => observer?.deliver(payload, dueUs),
        closed: (reason) => {
          this.#bySocketId.delete(agreement.socketId);
          this.#byCaller.delete(key);
          observer?.closed(reason);
        },
      },
      agreement,
      this.#settings,
    );
    const accepted = { connection, remote, response };
    this.#bySocketId.set(agreement.socketId, accepted);
    this.#byCaller.set(key, accepted);
    observer = this.#dependencies.accepted(connection, admission);
    this.#respond(nowUs, accepted);
  }

  /** Stamped as it leaves: the caller reckons the delay of the way from it. */
  #respond(nowUs: number, { connection, response, remote }: Accepted): void {
    const { startUs, peerSocketId } = connection.agreement;
    stamp(response, timestampOf(nowUs - startUs), peerSocketId);
    this.#dependencies.send(response, remote);
  }

  #response(request: Handshake, agreement: SrtAgreement, keyAnswer: Buffer | null): Buffer {
    const { tooLateDrop, mss, flightWindow } = this.#settings;
    const content = encodeHandshakeMessage({
      version: srtVersion,
      flags: ownFlags(tooLateDrop),
      receiveLatencyMs: Math.min(0xffff, agreement.receiveLatencyMs),
      sendLatencyMs: Math.min(0xffff, agreement.sendLatencyMs),
    });
    const extensions: HandshakeExtension[] = [{ type: extensionType.handshakeResponse, content }];
    if (keyAnswer !== null) extensions.push({ type: extensionType.keyResponse, content: keyAnswer });
    return encodeHandshake({
      version: 5,
      encryption: (agreement.keys?.keyBytes ?? 0) / 8,
      extension: extensionFlags.handshake | (keyAnswer === null ? 0 : extensionFlags.key),
      initialSequence: request.initialSequence,
      mss: Math.min(mss, Math.max(76, request.mss)),
      flightWindow,
      type: handshakeType.conclusion,
      socketId: agreement.socketId,
      cookie: 0,
      extensions,
    });
  }

  #answer(nowUs: number, packet: Buffer, remote: SrtRemote, response: Handshake): void {
    const bytes = encodeHandshake(response);
    stamp(bytes, timestampOf(nowUs), decodeHandshake(packet)?.socketId ?? 0);
    this.#dependencies.send(bytes, remote);
  }

  #freshSocketId(): number {
    let id = this.#socketId;
    while (id === this.#socketId || this.#bySocketId.has(id)) id = randomWord(this.#dependencies.random) & 0x3fff_ffff;
    return id;
  }
}

/** The handshake message of a conclusion, or the reason to refuse it. */
function messageOf(request: Handshake): HandshakeMessage | number {
  if (request.version !== 5) return rejectReason.version;
  const found = request.extensions.find(({ type }) => type === extensionType.handshakeRequest);
  const message = found === undefined ? null : decodeHandshakeMessage(found.content);
  if (message === null) return rejectReason.rogue;
  if (message.version < 0x01_03_00) return rejectReason.version;
  if ((message.flags & peerFlags.stream) !== 0) return rejectReason.messageApi;
  if (request.extensions.some(({ type }) => type === extensionType.filter)) return rejectReason.filter;
  if (request.extensions.some(({ type }) => type === extensionType.group)) return rejectReason.group;
  return message;
}

/** Null without one, undefined for one that is no text. */
function streamIdOf(request: Handshake): string | null | undefined {
  const found = request.extensions.find(({ type }) => type === extensionType.streamId);
  return found === undefined ? null : (decodeStreamId(found.content) ?? undefined);
}
