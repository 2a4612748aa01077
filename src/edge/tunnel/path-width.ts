import { SEAL_OVERHEAD_BYTES, TUNNEL_ID_BYTES } from '../../protocol/tunnel/limits.ts';
import type { ConnectionStats } from '../../quic/connection-report.ts';

/** 1 316 bytes of MPEG-TS and the header of SRT. */
const srtDatagramBytes = 1332;
/** The search for the path MTU goes up from 1 200 bytes; it has ended by then, lost probes included. */
const searchMs = 15_000;

export interface NarrowPath {
  /** Null where the engine does not report it. */
  readonly pathMtu: number | null;
  /** What a local program may put into one datagram. */
  readonly payloadBytes: number;
}

/** Notices a path on which SRT's default datagrams do not fit, before any is sent. Pure. */
export class PathWidth {
  #narrowSinceMs: number | null = null;
  #reported: number | null = null;

  /** `stats`: of the connection in use, null without one. Returns a width once, and again when it is another one. */
  sample(nowMs: number, stats: Pick<ConnectionStats, 'pathMtu' | 'maxDatagramSize'> | null): NarrowPath | null {
    const largest = stats?.maxDatagramSize ?? null;
    const payloadBytes = largest === null ? null : largest - TUNNEL_ID_BYTES - SEAL_OVERHEAD_BYTES;
    if (stats === null || payloadBytes === null || payloadBytes >= srtDatagramBytes) {
      this.#narrowSinceMs = null;
      return null;
    }
    this.#narrowSinceMs ??= nowMs;
    if (nowMs - this.#narrowSinceMs < searchMs || payloadBytes === this.#reported) return null;
    this.#reported = payloadBytes;
    return { pathMtu: stats.pathMtu, payloadBytes };
  }
}
