import { DropReporter, type DropReport } from '../../lib/drop-reporter.ts';
import { streamCode, type StreamCode } from '../../protocol/tunnel/close-code.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';

export type StreamRefusal =
  /** `limits.max_open_streams` of this relay is reached; its header was not read, so no tunnel is known. */
  | 'relay_full'
  /** The ingress edge grants no further stream. */
  | 'edge_full'
  /** The ingress leg is missing. */
  | 'no_peer'
  /** The edge that opened it holds no leg, or none of the tunnel that its header names. */
  | 'not_a_leg'
  /** Of a UDP tunnel, or from the ingress edge. */
  | 'wrong_protocol'
  | 'bad_header'
  | 'shutting_down';

/** With what the edge gets. */
export const refusalCodes: Readonly<Record<StreamRefusal, StreamCode>> = {
  relay_full: streamCode.overload,
  edge_full: streamCode.overload,
  no_peer: streamCode.noPeer,
  not_a_leg: streamCode.notALeg,
  wrong_protocol: streamCode.wrongProtocolOrDirection,
  bad_header: streamCode.badStreamHeader,
  shutting_down: streamCode.shuttingDown,
};

type Counts = Readonly<Partial<Record<StreamRefusal, number>>>;

export interface StreamRefusalReport extends DropReport {
  readonly tunnelId: TunnelId | null;
}

interface OfTunnel {
  counts: Counts;
  readonly reporter: DropReporter;
}

/** Counts of the data streams that this relay refused, in all and by tunnel. Pure. */
export class StreamRefusals {
  #all: Counts = {};
  readonly #reporter = new DropReporter();
  readonly #tunnels = new Map<TunnelId, OfTunnel>();

  /** `tunnelId`: of a tunnel with a leg, until `forget`; null where none is known. */
  add(reason: StreamRefusal, tunnelId: TunnelId | null): void {
    this.#all = increased(this.#all, reason);
    if (tunnelId === null) return;
    const tunnel = this.#tunnels.get(tunnelId) ?? { counts: {}, reporter: new DropReporter() };
    tunnel.counts = increased(tunnel.counts, reason);
    this.#tunnels.set(tunnelId, tunnel);
  }

  /** Since the relay started. */
  get all(): Counts {
    return this.#all;
  }

  /** Since the tunnel has a leg. */
  ofTunnel(tunnelId: TunnelId): Counts {
    return this.#tunnels.get(tunnelId)?.counts ?? {};
  }

  forget(tunnelId: TunnelId): void {
    this.#tunnels.delete(tunnelId);
  }

  /** What operators are to know now: a limit is reached. Each once a minute at most. */
  reports(nowMs: number): readonly StreamRefusalReport[] {
    const { relay_full = 0 } = this.#all;
    const ofRelay = this.#reporter.observe(nowMs, { relay_full }).map((report) => ({ ...report, tunnelId: null }));
    const ofTunnels = [...this.#tunnels].flatMap(([tunnelId, { counts, reporter }]) => {
      const { edge_full = 0 } = counts;
      return reporter.observe(nowMs, { edge_full }).map((report) => ({ ...report, tunnelId }));
    });
    return [...ofRelay, ...ofTunnels];
  }
}

function increased(counts: Counts, reason: StreamRefusal): Counts {
  return { ...counts, [reason]: (counts[reason] ?? 0) + 1 };
}
