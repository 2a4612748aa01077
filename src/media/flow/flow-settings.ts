import type { HostPort } from '../../lib/host-port.ts';
import type { RtmpSettings } from '../rtmp/rtmp-session.ts';
import type { RtspSettings } from '../rtsp/rtsp-client.ts';
import type { SrtSettings } from '../srt/srt-settings.ts';

/** One SRT socket of a flow. Plain data: it is sent to the worker. */
export interface SrtLegSettings {
  readonly mode: 'caller' | 'listener';
  /** An IP literal; null takes any port. */
  readonly localAddr: HostPort | null;
  /** A caller's listener; the host may be a name. */
  readonly remoteAddr: HostPort | null;
  /** The id of a tunnel of this edge that carries the leg in place of the network. */
  readonly tunnel: string | null;
  /** Bytes of payload in one packet. */
  readonly payloadBytes: number;
  readonly srt: SrtSettings;
}

export type InputSettings =
  | {
      readonly type: 'srt';
      readonly leg: SrtLegSettings;
      readonly redundancy: SrtLegSettings | null;
      readonly mergeWindowMs: number;
    }
  | {
      readonly type: 'udp';
      readonly bindAddr: HostPort | null;
      readonly interfaceAddr: string | null;
      readonly tunnel: string | null;
    }
  | {
      readonly type: 'rtp';
      readonly bindAddr: HostPort | null;
      readonly interfaceAddr: string | null;
      readonly tunnel: string | null;
      /** IP literals; null takes any. */
      readonly allowedSources: readonly string[] | null;
      readonly allowedPayloadTypes: readonly number[] | null;
      /** What comes above it is dropped; null takes all. */
      readonly maxBitrateMbps: number | null;
      readonly redundancy: { readonly bindAddr: HostPort } | null;
      readonly mergeWindowMs: number;
    }
  | { readonly type: 'rtmp'; readonly listenAddr: HostPort; readonly rtmp: RtmpSettings }
  | { readonly type: 'rtsp'; readonly rtsp: RtspSettings; readonly reconnectDelaySecs: number }
  | {
      readonly type: 'webrtc';
      readonly bearerToken: string | null;
      readonly videoOnly: boolean;
      readonly publicIp: string | null;
      readonly stunServer: string | null;
    }
  | {
      readonly type: 'whep';
      readonly whepUrl: string;
      readonly bearerToken: string | null;
      readonly videoOnly: boolean;
    };

export type InputType = InputSettings['type'];

export type OutputSettings = { readonly id: string; readonly name: string } & (
  | { readonly type: 'srt'; readonly leg: SrtLegSettings; readonly redundancy: SrtLegSettings | null }
  | {
      readonly type: 'udp' | 'rtp';
      readonly destAddr: HostPort | null;
      readonly bindAddr: HostPort | null;
      readonly interfaceAddr: string | null;
      readonly tunnel: string | null;
    }
  | WebRtcOutputSettings
  | {
      readonly type: 'hls';
      readonly ingestUrl: string;
      readonly segmentSecs: number;
      readonly authToken: string | null;
      readonly maxSegments: number;
    }
);

/** The viewers of a WHEP server, or a WHIP server that is published to. */
interface WebRtcOutputSettings {
  readonly type: 'webrtc';
  readonly mode: 'whip_client' | 'whep_server';
  /** Empty for a server. */
  readonly whipUrl: string;
  readonly bearerToken: string | null;
  readonly maxViewers: number;
  readonly publicIp: string | null;
  readonly videoOnly: boolean;
}

export interface FlowSettings {
  /** 1 to 64 characters. */
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly mediaAnalysis: boolean;
  readonly input: InputSettings;
  readonly outputs: readonly OutputSettings[];
}
