import type { Random } from '../../lib/random.ts';
import type { MediaUnit } from '../codec/media-unit.ts';
import type { Credentials } from './authorization.ts';
import { RtspReader, type RtspHeaders, type RtspItem } from './rtsp-reader.ts';
import { RtspRequests } from './rtsp-requests.ts';
import { anchorTracks, resolveControl, RtspTrack } from './rtsp-track.ts';
import { parseSdp, type SdpTrack } from './sdp.ts';

export interface RtspSettings {
  /** Without credentials. */
  readonly url: string;
  readonly credentials: Credentials | null;
  readonly transport: 'tcp' | 'udp';
  /** For each answer, and for media while it plays. */
  readonly timeoutMs: number;
}

/** What the runner is to do, in this order. */
export type RtspAction =
  | { readonly kind: 'send'; readonly bytes: Buffer }
  /** The server plays these. */
  | { readonly kind: 'playing'; readonly tracks: readonly SdpTrack[] }
  | { readonly kind: 'unit'; readonly unit: MediaUnit }
  /** Opens the way through a NAT to the server's ports of a track. */
  | { readonly kind: 'punch'; readonly track: number; readonly rtpPort: number; readonly rtcpPort: number }
  /** Nothing more comes; end the connection. */
  | { readonly kind: 'lost'; readonly error: string };

/** Our UDP ports of a track. */
export interface UdpPorts {
  readonly rtp: number;
  readonly rtcp: number;
}

/** Streams that are taken: pictures and sound. */
export const mostTracks = 2;

/** A request that waits for its answer. */
interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
}

type State = 'options' | 'describe' | 'setup' | 'play' | 'playing' | 'ended';

const defaultSessionSecs = 60;

/** An RTSP 1.0 client (RFC 2326) from the first request to the end. Pure: bytes and times in, actions out. */
export class RtspClient {
  readonly #settings: RtspSettings;
  readonly #ports: readonly UdpPorts[];
  readonly #reader = new RtspReader();
  readonly #requests: RtspRequests;
  #state: State = 'options';
  /** The request that is answered next; null while none is. */
  #asked: Asked | null = null;
  #keepAliveUs = (defaultSessionSecs / 2) * 1e6;
  #keepAliveMethod = 'OPTIONS';
  #aggregateUrl: string;
  #tracks: RtspTrack[] = [];
  /** The track whose SETUP waits for its answer. */
  #setUpNext = 0;
  #deadlineUs: number;
  #nextKeepAliveUs = Number.POSITIVE_INFINITY;

  /** `ports` are there for UDP: one pair for each track that may come. */
  constructor(random: Random, settings: RtspSettings, ports: readonly UdpPorts[], nowUs: number) {
    this.#settings = settings;
    this.#requests = new RtspRequests(random, settings.credentials);
    this.#ports = ports;
    this.#aggregateUrl = settings.url;
    this.#deadlineUs = nowUs + settings.timeoutMs * 1000;
  }

  /** When `tick` has to be called; Infinity for never. */
  get nextUs(): number {
    return this.#state === 'ended' ? Number.POSITIVE_INFINITY : Math.min(this.#deadlineUs, this.#nextKeepAliveUs);
  }

  /** RTP packets that are not of the stream that was described. */
  get unreadable(): number {
    return this.#tracks.reduce((sum, track) => sum + track.unreadable, 0);
  }

  get lostPackets(): number {
    return this.#tracks.reduce((sum, track) => sum + track.lost, 0);
  }

  /** The first request; call it once the connection is there. */
  start(nowUs: number): readonly RtspAction[] {
    return [this.#ask(nowUs, 'OPTIONS', this.#settings.url)];
  }

  handle(nowUs: number, bytes: Buffer): readonly RtspAction[] {
    if (this.#state === 'ended') return [];
    const actions: RtspAction[] = [];
    this.#reader.push(bytes);
    for (let item = this.#reader.next(); item !== null; item = this.#reader.next()) {
      this.#item(nowUs, item, actions);
      if (this.#isEnded) return actions;
    }
    if (this.#reader.problem !== null) this.#lose(`the server sent ${this.#reader.problem}`, actions);
    return actions;
  }

  /** A datagram on our RTP port of a track. */
  datagram(nowUs: number, track: number, bytes: Buffer): readonly RtspAction[] {
    const found = this.#tracks[track];
    return found === undefined || this.#state !== 'playing' ? [] : this.#rtp(nowUs, found, bytes);
  }

  tick(nowUs: number): readonly RtspAction[] {
    const actions: RtspAction[] = [];
    if (this.#state === 'ended') return actions;
    const seconds = this.#settings.timeoutMs / 1000;
    if (nowUs >= this.#deadlineUs) {
      this.#lose(this.#state === 'playing' ? `no media for ${seconds} s` : `no answer for ${seconds} s`, actions);
    } else if (nowUs >= this.#nextKeepAliveUs) {
      this.#nextKeepAliveUs = nowUs + this.#keepAliveUs;
      actions.push(this.#request(this.#keepAliveMethod, this.#aggregateUrl, []));
    }
    return actions;
  }

  /** Ends the session at the server; null before there is one. */
  teardown(): Buffer | null {
    if (this.#requests.sessionId === null || this.#state === 'ended') return null;
    this.#state = 'ended';
    const action = this.#request('TEARDOWN', this.#aggregateUrl, []);
    return action.bytes;
  }

  get #isEnded(): boolean {
    return this.#state === 'ended';
  }

  #lose(error: string, actions: RtspAction[]): void {
    this.#state = 'ended';
    actions.push({ kind: 'lost', error });
  }

  /** A request whose answer leads on. */
  #ask(nowUs: number, method: string, url: string, headers: readonly string[] = []): RtspAction & { kind: 'send' } {
    this.#asked = { method, url, headers };
    this.#deadlineUs = nowUs + this.#settings.timeoutMs * 1000;
    return this.#request(method, url, headers);
  }

  #request(method: string, url: string, headers: readonly string[]): RtspAction & { kind: 'send' } {
    return { kind: 'send', bytes: this.#requests.write(method, url, headers) };
  }

  #item(nowUs: number, item: RtspItem, actions: RtspAction[]): void {
    if (item.kind === 'frame') {
      const track = this.#tracks.find(({ channel }) => channel === item.channel);
      if (track !== undefined && this.#state === 'playing') actions.push(...this.#rtp(nowUs, track, item.payload));
    } else if (item.kind === 'request') {
      this.#requested(item, actions);
    } else if (this.#asked !== null && this.#state !== 'playing') {
      this.#response(nowUs, item, this.#asked, actions);
    } else this.#keptAlive(item, actions);
  }

  /** The answer to a sign of life. A server may want a newer proof for it: a nonce has an end. */
  #keptAlive({ status, reason, headers }: RtspItem & { kind: 'response' }, actions: RtspAction[]): void {
    const isChallenge = status === 401 && this.#requests.challenged(headers.get('www-authenticate') ?? []) === null;
    if (isChallenge) actions.push(this.#request(this.#keepAliveMethod, this.#aggregateUrl, []));
    else if (status === 454 || status === 401) {
      this.#lose(`the server has ended the session (${status} ${reason})`, actions);
    } else this.#requests.accepted();
  }

  /** A server's own requests: an end of the session counts, the rest is answered as not known. */
  #requested({ method, headers }: RtspItem & { kind: 'request' }, actions: RtspAction[]): void {
    if (method === 'TEARDOWN') {
      this.#lose('the server has ended the session', actions);
      return;
    }
    const sequence = headers.get('cseq')?.[0]?.slice(0, 20) ?? '0';
    const status = method === 'OPTIONS' ? '200 OK' : '501 Not Implemented';
    actions.push({ kind: 'send', bytes: Buffer.from(`RTSP/1.0 ${status}\r\nCSeq: ${sequence}\r\n\r\n`) });
  }

  #response(nowUs: number, response: RtspItem & { kind: 'response' }, asked: Asked, actions: RtspAction[]): void {
    const { status, reason, headers, body } = response;
    if (status === 401) {
      this.#authorize(nowUs, headers, asked, actions);
      return;
    }
    const isRefusal = status < 200 || status >= 300;
    // A server need not know OPTIONS.
    if (isRefusal && asked.method !== 'OPTIONS') {
      this.#lose(`${asked.method} was refused: ${status} ${reason}`.trim(), actions);
      return;
    }
    this.#requests.accepted();
    if (this.#state === 'options') this.#describe(nowUs, headers, actions);
    else if (this.#state === 'describe') this.#described(nowUs, headers, body, actions);
    else if (this.#state === 'setup') this.#isSetUp(nowUs, headers, actions);
    else this.#plays(nowUs, headers, actions);
  }

  #authorize(nowUs: number, headers: RtspHeaders, { method, url, headers: sent }: Asked, actions: RtspAction[]): void {
    const problem = this.#requests.challenged(headers.get('www-authenticate') ?? []);
    if (problem === null) actions.push(this.#ask(nowUs, method, url, sent));
    else this.#lose(problem, actions);
  }

  #describe(nowUs: number, headers: RtspHeaders, actions: RtspAction[]): void {
    const methods = headers.get('public')?.join(',') ?? '';
    if (/\bGET_PARAMETER\b/.test(methods)) this.#keepAliveMethod = 'GET_PARAMETER';
    this.#state = 'describe';
    actions.push(this.#ask(nowUs, 'DESCRIBE', this.#settings.url, ['Accept: application/sdp']));
  }

  #described(nowUs: number, headers: RtspHeaders, body: Buffer, actions: RtspAction[]): void {
    const { control, tracks, codecs } = parseSdp(body.toString());
    if (tracks.length === 0) {
      const offered = codecs.length === 0 ? 'nothing' : codecs.map(printable).join(', ');
      this.#lose(`no stream that can be carried; the server offers ${offered}`, actions);
      return;
    }
    const base = headers.get('content-base')?.[0] ?? headers.get('content-location')?.[0] ?? this.#settings.url;
    this.#aggregateUrl = resolveControl(base, control);
    this.#tracks = tracks.map((sdp) => new RtspTrack(sdp, resolveControl(base, sdp.control)));
    this.#state = 'setup';
    this.#setUp(nowUs, 0, actions);
  }

  #setUp(nowUs: number, index: number, actions: RtspAction[]): void {
    const track = this.#tracks[index];
    if (track === undefined) {
      this.#state = 'play';
      actions.push(this.#ask(nowUs, 'PLAY', this.#aggregateUrl, ['Range: npt=0.000-']));
      return;
    }
    this.#setUpNext = index;
    const ports = this.#ports[index];
    const transport =
      this.#settings.transport === 'tcp' || ports === undefined
        ? `RTP/AVP/TCP;unicast;interleaved=${index * 2}-${index * 2 + 1}`
        : `RTP/AVP;unicast;client_port=${ports.rtp}-${ports.rtcp}`;
    actions.push(this.#ask(nowUs, 'SETUP', track.url, [`Transport: ${transport}`]));
  }

  #isSetUp(nowUs: number, headers: RtspHeaders, actions: RtspAction[]): void {
    const index = this.#setUpNext;
    const transport = headers.get('transport')?.[0] ?? '';
    const [session, ...parameters] = headers.get('session')?.[0]?.split(';') ?? [];
    if (session === undefined || !/^[\x21-\x7e]{1,256}$/.test(session.trim())) {
      this.#lose('the server gave no session', actions);
      return;
    }
    this.#requests.sessionId = session.trim();
    const seconds = Number(/timeout\s*=\s*(\d{1,6})/.exec(parameters.join(';'))?.[1] ?? defaultSessionSecs);
    this.#keepAliveUs = Math.max(1, seconds / 2) * 1e6;
    const track = this.#tracks[index];
    if (track !== undefined && !this.#takeTransport(track, index, transport, actions)) return;
    this.#setUp(nowUs, index + 1, actions);
  }

  /** False where the server has chosen another transport than the one that was asked for. */
  #takeTransport(track: RtspTrack, index: number, transport: string, actions: RtspAction[]): boolean {
    if (this.#settings.transport === 'tcp') {
      const channel = /interleaved=(\d{1,3})/.exec(transport)?.[1];
      track.channel = channel === undefined ? index * 2 : Number(channel);
      if (!/TCP/i.test(transport)) this.#lose('the server does not send over TCP; set transport to "udp"', actions);
      return !this.#isEnded;
    }
    const [, rtp, rtcp] = /server_port=(\d{1,5})-(\d{1,5})/.exec(transport) ?? [];
    if (/TCP/i.test(transport)) this.#lose('the server does not send over UDP; set transport to "tcp"', actions);
    else if (rtp !== undefined && rtcp !== undefined && Number(rtp) > 0 && Number(rtp) < 65_536) {
      actions.push({ kind: 'punch', track: index, rtpPort: Number(rtp), rtcpPort: Math.min(Number(rtcp), 65_535) });
    }
    return !this.#isEnded;
  }

  #plays(nowUs: number, headers: RtspHeaders, actions: RtspAction[]): void {
    this.#state = 'playing';
    this.#asked = null;
    this.#deadlineUs = nowUs + this.#settings.timeoutMs * 1000;
    this.#nextKeepAliveUs = nowUs + this.#keepAliveUs;
    anchorTracks(this.#tracks, nowUs, headers.get('rtp-info')?.[0] ?? '');
    actions.push({ kind: 'playing', tracks: this.#tracks.map(({ sdp }) => sdp) });
  }

  #rtp(nowUs: number, track: RtspTrack, bytes: Buffer): readonly RtspAction[] {
    const units = track.push(nowUs, bytes);
    if (units === null) return [];
    this.#deadlineUs = nowUs + this.#settings.timeoutMs * 1000;
    return units.map((unit) => ({ kind: 'unit', unit }));
  }
}

function printable(name: string): string {
  return name.replaceAll(/[^\w.-]/g, '?').slice(0, 32);
}
