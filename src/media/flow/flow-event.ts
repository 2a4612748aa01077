/** What happens to the connections of a running flow; the worker reports it, the main thread puts it into words. */
export type MediaEvent =
  | (SrtSide & {
      readonly kind: 'srt-connected';
      readonly mode: 'caller' | 'listener';
      readonly remoteAddr: string;
      readonly streamId: string | null;
      /** Failed attempts since the last connection, and how long it had been gone; 0 at first. */
      readonly attempts: number;
      readonly downSecs: number;
    })
  | (SrtSide & { readonly kind: 'srt-disconnected'; readonly remoteAddr: string; readonly reason: string })
  /** Data goes out and nothing is acknowledged. */
  | (SrtSide & { readonly kind: 'srt-stale'; readonly remoteAddr: string })
  | (SrtSide & {
      readonly kind: 'srt-failed';
      readonly error: string;
      readonly remoteAddr: string;
      readonly attempts: number;
    })
  | { readonly kind: 'rtmp-connected'; readonly remoteAddr: string }
  | { readonly kind: 'rtmp-disconnected'; readonly remoteAddr: string; readonly reason: string }
  | { readonly kind: 'rtmp-failed'; readonly error: string }
  | {
      readonly kind: 'rtsp-connected';
      /** Without credentials. */
      readonly url: string;
      readonly attempts: number;
      readonly downSecs: number;
    }
  | {
      readonly kind: 'rtsp-disconnected';
      readonly url: string;
      readonly error: string;
      readonly retrySecs: number;
    }
  /** A publisher or viewer of ours, or the server that this input dials. */
  | (RtcSide & { readonly kind: 'webrtc-connected'; readonly remoteAddr: string; readonly attempts?: number })
  | (RtcSide & { readonly kind: 'webrtc-disconnected'; readonly remoteAddr: string; readonly reason: string })
  | {
      readonly kind: 'webrtc-failed';
      /** Null for the input. */
      readonly outputId: string | null;
      readonly error: string;
      readonly attempts: number;
    }
  | {
      readonly kind: 'hls-upload-failed';
      readonly outputId: string;
      readonly error: string;
      /** How many segments failed when it failed last; 0 at first. */
      readonly previousFailures: number;
    }
  | { readonly kind: 'hls-failed'; readonly outputId: string; readonly error: string }
  | { readonly kind: 'leg-lost'; readonly leg: 1 | 2; readonly reason: string }
  | { readonly kind: 'legs-lost' }
  | { readonly kind: 'input-lost'; readonly error: string };

interface RtcSide {
  readonly role: 'publisher' | 'server' | 'viewer';
  /** Null for the input. */
  readonly outputId: string | null;
}

/** The input or output that the connection belongs to. */
interface SrtSide {
  /** Null for the input. */
  readonly outputId: string | null;
  /** Null without redundancy. */
  readonly leg: 1 | 2 | null;
}
