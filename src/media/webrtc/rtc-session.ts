import {
  RTCPeerConnection,
  RtpHeader,
  RtpPacket,
  useH264,
  useOPUS,
  type RTCDtlsTransport,
  type RTCRtpTransceiver,
} from 'werift';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { sendCloseNotify } from './close-notify.ts';
import { PeerWatch } from './peer-watch.ts';
import { refuseForgedRecords } from './record-guard.ts';
import { iceNames, trimCandidates, withBundledPorts, withPublicAddress, type OfferedH264 } from './sdp.ts';

export type TrackKind = 'video' | 'audio';

export interface RtcSettings {
  /** What this end does with media. */
  readonly role: 'sends' | 'receives';
  /** The tracks of this session. */
  readonly tracks: readonly TrackKind[];
  /** The peer's H.264 where it offered; null takes the usual one. */
  readonly h264: OfferedH264 | null;
  /** The address that others reach this machine by, where it is not its own. */
  readonly publicIp: string | null;
  /** `stun:host:port`; null: no STUN server. */
  readonly stunServer: string | null;
}

export interface RtcPacket {
  readonly kind: TrackKind;
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Buffer;
}

export interface RtcObserver {
  /** ICE and DTLS are complete. */
  connected(remoteAddr: string): void;
  /** Once, unless `close` came first. */
  ended(end: { readonly reason: string; readonly wasConnected: boolean }): void;
  packet(packet: RtcPacket): void;
  /** A receiver has lost its picture. */
  keyFrameWanted(): void;
}

export interface RtcDependencies {
  readonly clock: Clock;
  readonly observer: RtcObserver;
}

/** What has come from the peer is known to a period, and looked at once a period: a silence ends two of them late. */
const watchPeriodMs = 250;

/** One WebRTC connection, with at most one picture track and one sound track. */
export class RtcSession {
  readonly #dependencies: RtcDependencies;
  readonly #settings: RtcSettings;
  readonly #peer: RTCPeerConnection;
  readonly #transceivers = new Map<TrackKind, RTCRtpTransceiver>();
  readonly #sequences = { video: 0, audio: 0 };
  readonly #followed = new WeakSet<RTCDtlsTransport>();
  readonly #watch: PeerWatch;
  readonly #timer: Timer;
  /** What the peer's checks carry: its own name behind ours. */
  #names: Readonly<Record<'own' | 'peers', ReadonlySet<string>>> = { own: new Set(), peers: new Set() };
  #packetsSeen = 0;
  #phase: 'connecting' | 'connected' | 'over' = 'connecting';

  constructor(dependencies: RtcDependencies, settings: RtcSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    const { clock } = dependencies;
    this.#watch = new PeerWatch(clock.monotonicMs());
    const { h264, stunServer } = settings;
    this.#peer = new RTCPeerConnection({
      codecs: { video: [useH264(h264 ?? {})], audio: [useOPUS()] },
      iceServers: stunServer === null ? [] : [{ urls: stunServer }],
      iceUseTcp: false,
      iceUseIpv6: true,
      // Viewers on this machine, and tests.
      iceAdditionalHostAddresses: ['127.0.0.1'],
      bundlePolicy: 'max-bundle',
      // Called for each of the peer's checks, which go on for as long as it is there, and for whatever looks like one.
      iceFilterStunResponse: (message) => {
        if (!this.#isPeers(message.getAttributeValue('USERNAME'))) return false;
        if (settings.role === 'sends' && this.isConnected) this.#watch.noteActivity(clock.monotonicMs());
        return true;
      },
    });
    for (const kind of settings.tracks) this.#addTrack(kind);
    this.#timer = clock.setInterval(() => this.#look(), watchPeriodMs);
  }

  get isConnected(): boolean {
    return this.#phase === 'connected';
  }

  /** Answers the peer's offer. Rejects with AppError `input-invalid`; the session has ended then. */
  async answer(offer: string): Promise<string> {
    return this.#negotiating(async () => {
      this.#names = { ...this.#names, peers: iceNames(offer) };
      await this.#peer.setRemoteDescription({ type: 'offer', sdp: withBundledPorts(trimCandidates(offer)) });
      for (const transceiver of this.#peer.getTransceivers()) {
        if (![...this.#transceivers.values()].includes(transceiver)) transceiver.setDirection('inactive');
      }
      await this.#peer.setLocalDescription(await this.#peer.createAnswer());
      return this.#localSdp();
    });
  }

  /** Makes an offer; `accept` takes the answer. */
  async offer(): Promise<string> {
    return this.#negotiating(async () => {
      await this.#peer.setLocalDescription(await this.#peer.createOffer());
      return this.#localSdp();
    });
  }

  /** Takes the answer to our offer. Rejects with AppError `input-invalid`; the session has ended then. */
  async accept(answer: string): Promise<void> {
    await this.#negotiating(() => {
      this.#names = { ...this.#names, peers: iceNames(answer) };
      return this.#peer.setRemoteDescription({ type: 'answer', sdp: withBundledPorts(trimCandidates(answer)) });
    });
  }

  /** Sends one packet's payload on a track; nothing before the connection is there. */
  send(kind: TrackKind, payload: Buffer, timestamp: number, marker: boolean): void {
    const sender = this.#transceivers.get(kind)?.sender;
    if (sender === undefined || this.#phase !== 'connected') return;
    this.#sequences[kind] = (this.#sequences[kind] + 1) & 0xffff;
    const header = new RtpHeader({ sequenceNumber: this.#sequences[kind], timestamp, marker });
    // Lost, as on the network: the session's own watch says when it is over.
    sender.sendRtp(new RtpPacket(header, payload)).catch(() => undefined);
  }

  /** Asks the sender for a picture that a decoder can start at. */
  requestKeyFrame(): void {
    const receiver = this.#transceivers.get('video')?.receiver;
    const ssrc = receiver?.track.ssrc;
    if (receiver === undefined || ssrc === undefined || this.#phase !== 'connected') return;
    receiver.sendRtcpPLI(ssrc).catch(() => undefined);
  }

  /** Idempotent. Nothing is reported from here on. */
  async close(): Promise<void> {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#timer.cancel();
    await this.#farewell();
    await this.#peer.close();
  }

  /** One datagram, which may be lost: then the peer's own timer ends it. */
  async #farewell(): Promise<void> {
    for (const { dtls, state } of this.#peer.dtlsTransports) {
      if (dtls !== undefined && state === 'connected') await sendCloseNotify(dtls).catch(() => undefined);
    }
  }

  async #negotiating<Result>(step: () => Promise<Result>): Promise<Result> {
    try {
      const result = await step();
      for (const transport of this.#peer.dtlsTransports) this.#follow(transport);
      return result;
    } catch (cause) {
      await this.close();
      throw new AppError('input-invalid', errorMessage(cause), { cause });
    }
  }

  #localSdp(): string {
    const sdp = this.#peer.localDescription?.sdp ?? '';
    this.#names = { ...this.#names, own: iceNames(sdp) };
    const { publicIp } = this.#settings;
    return publicIp === null ? sdp : withPublicAddress(sdp, publicIp);
  }

  /** The library itself does not look who sends a check, and would send media to whoever asks for it in one. */
  #isPeers(username: unknown): boolean {
    if (typeof username !== 'string') return false;
    const [own = '', peers = ''] = username.split(':');
    // A check may be here before the peer's answer is.
    return this.#names.own.has(own) && (this.#names.peers.size === 0 || this.#names.peers.has(peers));
  }

  #addTrack(kind: TrackKind): void {
    const { role } = this.#settings;
    const direction = role === 'sends' ? 'sendonly' : 'recvonly';
    const transceiver = this.#peer.addTransceiver(kind, { direction });
    this.#transceivers.set(kind, transceiver);
    const { observer } = this.#dependencies;
    if (role === 'sends') transceiver.sender.onPictureLossIndication.subscribe(() => observer.keyFrameWanted());
    else {
      transceiver.onTrack.subscribe((track) => {
        track.onReceiveRtp.subscribe(({ header, payload }) => {
          const { sequenceNumber: sequence, timestamp, marker } = header;
          if (this.#phase === 'connected') observer.packet({ kind, sequence, timestamp, marker, payload });
        });
      });
    }
  }

  #follow(transport: RTCDtlsTransport): void {
    if (this.#followed.has(transport)) return;
    this.#followed.add(transport);
    const onState = (state: string): void => {
      if (state === 'connected' && this.#phase === 'connecting') this.#onConnected(transport);
      else if (state === 'failed') this.#end('the DTLS handshake failed');
      // The peer's farewell; the connection's own state says so half a minute later.
      else if (state === 'closed') this.#end('the peer has closed the session');
    };
    transport.onStateChange.subscribe(onState);
    transport.iceTransport.onStateChange.subscribe((state) => {
      if (state === 'failed') this.#end('no path to the peer (ICE failed)');
      else if (state === 'closed') this.#end('the peer has closed the session');
    });
    onState(transport.state);
  }

  #onConnected(transport: RTCDtlsTransport): void {
    this.#phase = 'connected';
    if (transport.dtls !== undefined) refuseForgedRecords(transport.dtls);
    this.#watch.noteActivity(this.#dependencies.clock.monotonicMs());
    const remote = transport.iceTransport.getSelectedCandidatePair()?.remote;
    this.#dependencies.observer.connected(remote === undefined ? '' : remoteOf(remote.candidate));
  }

  #look(): void {
    const nowMs = this.#dependencies.clock.monotonicMs();
    const packets = this.#peer.dtlsTransports.reduce((sum, { packetsReceived }) => sum + packetsReceived, 0);
    if (packets !== this.#packetsSeen && this.isConnected) this.#watch.noteActivity(nowMs);
    this.#packetsSeen = packets;
    const verdict = this.#watch.verdict(nowMs);
    if (verdict !== null) this.#end(verdict);
  }

  #end(reason: string): void {
    if (this.#phase === 'over') return;
    const wasConnected = this.#phase === 'connected';
    this.#phase = 'over';
    this.#timer.cancel();
    // It is over whatever closing it says.
    this.#peer.close().catch(() => undefined);
    this.#dependencies.observer.ended({ reason, wasConnected });
  }
}

/** `ip:port` of a candidate line. */
function remoteOf(candidate: string): string {
  const [, , , , address = '', port = ''] = candidate.split(' ');
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
