import type { AudioCodec, MediaUnit, VideoCodec } from '../codec/media-unit.ts';
import { decodeAmf, type AmfObject, type AmfValue } from './amf0.ts';
import { ChunkReader, type RtmpMessage } from './chunk-reader.ts';
import { FlvReader, type FlvContent } from './flv-reader.ts';
import { commandMessage, controlMessage, messageType, ownChunkBytes, pong } from './message.ts';

export interface RtmpSettings {
  readonly app: string;
  /** Null takes any. */
  readonly streamKey: string | null;
  /** A publisher that sends neither pictures nor sound for so long is gone. */
  readonly stallTimeoutMs: number;
}

/** What the runner is to do, in this order. */
export type RtmpAction =
  | { readonly kind: 'send'; readonly bytes: Buffer }
  | { readonly kind: 'video-config'; readonly codec: VideoCodec; readonly parameterSets: readonly Buffer[] }
  | { readonly kind: 'audio-config'; readonly codec: AudioCodec }
  /** The first picture or sound of a publisher. */
  | { readonly kind: 'started' }
  | { readonly kind: 'unit'; readonly unit: MediaUnit }
  /** Something that cannot be carried; said once for each session. */
  | { readonly kind: 'unsupported'; readonly what: string }
  /** End the connection after what was sent. */
  | { readonly kind: 'close'; readonly reason: string };

/** From the connection to an accepted publish. */
const publishTimeoutUs = 10_000_000;
const handshakeBytes = 1536;
const windowBytes = 2_500_000;
const mediaStreamId = 1;
const timeWrap = 2 ** 32;

type State = 'greeting' | 'finishing' | 'commands' | 'publishing' | 'closed';

/** The server's side of one RTMP connection that publishes. Pure: bytes and times in, actions out. */
export class RtmpSession {
  readonly #settings: RtmpSettings;
  /** Whether another publisher may come now; asked when the key was right. */
  readonly #admit: (nowUs: number) => boolean;
  readonly #chunks = new ChunkReader();
  readonly #flv = new FlvReader();
  #state: State = 'greeting';
  #greeting: Buffer = Buffer.alloc(0);
  #deadlineUs: number;
  #isConnected = false;
  #hasStarted = false;
  #hasUnsupported = false;
  #received = 0;
  #acknowledged = 0;
  #peerWindow = windowBytes;
  #time: number | null = null;
  #mediaAtUs: number;

  constructor(settings: RtmpSettings, admit: (nowUs: number) => boolean, nowUs: number) {
    this.#settings = settings;
    this.#admit = admit;
    this.#deadlineUs = nowUs + publishTimeoutUs;
    this.#mediaAtUs = nowUs;
  }

  /** When `tick` has to be called. */
  get nextUs(): number {
    return this.#state === 'closed' ? Number.POSITIVE_INFINITY : this.#deadlineUs;
  }

  /** When pictures or sound came last. */
  get mediaAtUs(): number {
    return this.#mediaAtUs;
  }

  handle(nowUs: number, bytes: Buffer): readonly RtmpAction[] {
    const actions: RtmpAction[] = [];
    this.#received += bytes.length;
    if (this.#state === 'greeting' || this.#state === 'finishing') this.#greet(bytes, actions);
    else if (this.#state !== 'closed') this.#chunks.push(bytes);
    if (this.#state === 'commands' || this.#state === 'publishing') this.#messages(nowUs, actions);
    return actions;
  }

  tick(nowUs: number): readonly RtmpAction[] {
    if (nowUs < this.nextUs) return [];
    const actions: RtmpAction[] = [];
    const seconds = this.#settings.stallTimeoutMs / 1000;
    const reason = this.#state === 'publishing' ? `nothing for ${seconds} s` : 'no publish within 10 s';
    this.#close(reason, actions);
    return actions;
  }

  /** C0 and C1 are answered with S0, S1 and S2; C2 is not looked at (§5.2). */
  #greet(bytes: Buffer, actions: RtmpAction[]): void {
    this.#greeting = Buffer.concat([this.#greeting, bytes]);
    if (this.#state === 'greeting') {
      if (this.#greeting.length > 0 && this.#greeting[0] !== 3) {
        this.#close('not RTMP, or RTMPE', actions);
        return;
      }
      if (this.#greeting.length < 1 + handshakeBytes) return;
      const theirs = this.#greeting.subarray(1, 1 + handshakeBytes);
      this.#greeting = this.#greeting.subarray(1 + handshakeBytes);
      actions.push({ kind: 'send', bytes: Buffer.concat([Buffer.from([3]), Buffer.alloc(handshakeBytes), theirs]) });
      this.#state = 'finishing';
    }
    if (this.#greeting.length < handshakeBytes) return;
    this.#state = 'commands';
    this.#chunks.push(this.#greeting.subarray(handshakeBytes));
    this.#greeting = Buffer.alloc(0);
  }

  #messages(nowUs: number, actions: RtmpAction[]): void {
    for (let message = this.#chunks.next(); message !== null; message = this.#chunks.next()) {
      this.#message(nowUs, message, actions);
      if (this.#isClosed) return;
    }
    if (this.#chunks.problem !== null) this.#close(this.#chunks.problem, actions);
    else if (this.#received - this.#acknowledged >= this.#peerWindow / 2) {
      this.#acknowledged = this.#received;
      actions.push({ kind: 'send', bytes: controlMessage(messageType.acknowledgement, this.#received) });
    }
  }

  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #message(nowUs: number, message: RtmpMessage, actions: RtmpAction[]): void {
    const { type, payload } = message;
    switch (type) {
      case messageType.command:
        this.#command(nowUs, payload, actions);
        return;
      case messageType.commandAmf3:
        // AMF0 behind one byte, as all publishers send it.
        this.#command(nowUs, payload.subarray(1), actions);
        return;
      case messageType.audio:
      case messageType.video:
        if (this.#state === 'publishing') this.#media(nowUs, message, actions);
        return;
      default:
        this.#control(type, payload, actions);
    }
  }

  #control(type: number, payload: Buffer, actions: RtmpAction[]): void {
    if (payload.length < 4) return;
    const value = payload.readUInt32BE(0);
    if (type === messageType.chunkSize) this.#chunks.chunkBytes = value;
    else if (type === messageType.abort) this.#chunks.abort(value);
    else if (type === messageType.windowSize) this.#peerWindow = Math.max(value, 1024);
    else if (type === messageType.userControl && payload.readUInt16BE(0) === 6 && payload.length >= 6) {
      actions.push({ kind: 'send', bytes: pong(payload) });
    }
  }

  #command(nowUs: number, payload: Buffer, actions: RtmpAction[]): void {
    const values = decodeAmf(payload);
    if (values === null) {
      this.#close('a command that cannot be read', actions);
      return;
    }
    const [name, transaction, object, argument] = values;
    const id = typeof transaction === 'number' ? transaction : 0;
    if (name === 'connect') this.#connect(id, object, actions);
    else if (name === 'createStream') {
      actions.push({ kind: 'send', bytes: commandMessage(0, ['_result', id, null, mediaStreamId]) });
    } else if (name === 'publish') this.#publish(nowUs, argument, actions);
    else if (name === 'deleteStream' || name === 'FCUnpublish' || name === 'closeStream') {
      if (this.#state === 'publishing') this.#close('the publisher has stopped', actions);
    }
  }

  #connect(id: number, object: AmfValue | undefined, actions: RtmpAction[]): void {
    const app = isObject(object) ? object['app'] : undefined;
    const asked = typeof app === 'string' ? app.replace(/\/+$/, '') : '';
    if (asked !== this.#settings.app) {
      const status = { level: 'error', code: 'NetConnection.Connect.Rejected', description: 'no such app' };
      actions.push({ kind: 'send', bytes: commandMessage(0, ['_error', id, null, status]) });
      this.#close(`the app is ${JSON.stringify(asked.slice(0, 64))}, not "${this.#settings.app}"`, actions);
      return;
    }
    this.#isConnected = true;
    const server = { fmsVer: 'FMS/3,0,1,123', capabilities: 31 };
    const status = {
      ...{ level: 'status', code: 'NetConnection.Connect.Success', description: 'Connection succeeded.' },
      objectEncoding: 0,
    };
    actions.push({
      kind: 'send',
      bytes: Buffer.concat([
        controlMessage(messageType.windowSize, windowBytes),
        controlMessage(messageType.peerBandwidth, windowBytes, [2]),
        controlMessage(messageType.chunkSize, ownChunkBytes),
        commandMessage(0, ['_result', id, server, status]),
      ]),
    });
  }

  #publish(nowUs: number, name: AmfValue | undefined, actions: RtmpAction[]): void {
    if (!this.#isConnected || this.#state === 'publishing') {
      this.#close('publish out of turn', actions);
      return;
    }
    const { streamKey } = this.#settings;
    if (typeof name !== 'string' || (streamKey !== null && !isSame(name, streamKey))) {
      this.#refuse('the stream key is wrong', actions);
      return;
    }
    if (!this.#admit(nowUs)) {
      this.#refuse('another publisher is live', actions);
      return;
    }
    this.#state = 'publishing';
    this.#touch(nowUs);
    const status = { level: 'status', code: 'NetStream.Publish.Start', description: 'Publishing.' };
    actions.push({ kind: 'send', bytes: commandMessage(mediaStreamId, ['onStatus', 0, null, status]) });
  }

  #refuse(reason: string, actions: RtmpAction[]): void {
    const status = { level: 'error', code: 'NetStream.Publish.BadName', description: reason };
    actions.push({ kind: 'send', bytes: commandMessage(mediaStreamId, ['onStatus', 0, null, status]) });
    this.#close(reason, actions);
  }

  #media(nowUs: number, { type, timestamp, payload }: RtmpMessage, actions: RtmpAction[]): void {
    this.#touch(nowUs);
    const last = this.#time ?? timestamp;
    const time = timestamp + Math.round((last - timestamp) / timeWrap) * timeWrap;
    this.#time = time;
    const content = type === messageType.video ? this.#flv.video(time, payload) : this.#flv.audio(time, payload);
    if (content.kind === 'nothing') return;
    if (content.kind === 'unsupported') {
      this.#unsupported(content, actions);
      return;
    }
    if (!this.#hasStarted) actions.push({ kind: 'started' });
    this.#hasStarted = true;
    actions.push(content);
  }

  #unsupported(content: Extract<FlvContent, { kind: 'unsupported' }>, actions: RtmpAction[]): void {
    if (!this.#hasUnsupported) actions.push(content);
    this.#hasUnsupported = true;
  }

  #touch(nowUs: number): void {
    this.#mediaAtUs = nowUs;
    this.#deadlineUs = nowUs + this.#settings.stallTimeoutMs * 1000;
  }

  #close(reason: string, actions: RtmpAction[]): void {
    this.#state = 'closed';
    actions.push({ kind: 'close', reason });
  }
}

function isObject(value: AmfValue | undefined): value is AmfObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Compares without showing by its time how much was right. */
function isSame(given: string, wanted: string): boolean {
  let difference = given.length ^ wanted.length;
  for (let at = 0; at < given.length; at++) difference |= given.charCodeAt(at) ^ wanted.charCodeAt(at % wanted.length);
  return difference === 0;
}
