import type { Clock } from '../../lib/clock.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import { type DropReason, dropReasons, type Ledger } from '../../quic/types.ts';
import type { EventLimits } from '../events/event-limits.ts';
import type { LegLedgers } from './traffic-totals.ts';

/** One event per tunnel and reason in this time, while drops go on (docs/protocol/events.md). */
const quietMs = 60_000;

interface Reported {
  ingress: number;
  egress: number;
  atMs: number;
}

interface ReportsOfTunnel {
  /** The ledger that was reported: a tunnel that came back has new ledgers, which begin at 0. */
  readonly ledger: Ledger;
  readonly byReason: Map<DropReason, Reported>;
}

/** Looks at the ledgers now and then, and raises `Datagrams dropped` where drops were added (conformance S4). */
export class DropWatch {
  readonly #clock: Clock;
  readonly #events: Pick<EventLimits, 'emit'>;
  readonly #reports = new Map<TunnelId, ReportsOfTunnel>();
  readonly #startedAtMs: number;

  constructor(clock: Clock, events: Pick<EventLimits, 'emit'>) {
    this.#clock = clock;
    this.#events = events;
    this.#startedAtMs = clock.monotonicMs();
  }

  /** To be called about once a second with all tunnels that there are. */
  poll(tunnels: Iterable<readonly [TunnelId, LegLedgers]>): void {
    const present = new Set<TunnelId>();
    for (const [tunnelId, ledgers] of tunnels) {
      present.add(tunnelId);
      this.#look(tunnelId, ledgers);
    }
    for (const tunnelId of this.#reports.keys()) if (!present.has(tunnelId)) this.#reports.delete(tunnelId);
  }

  #look(tunnelId: TunnelId, ledgers: LegLedgers): void {
    if (ledgers.ingress.dropped + ledgers.egress.dropped === 0) return;
    const ingress = ledgers.ingress.totals().drops;
    const egress = ledgers.egress.totals().drops;
    for (const reason of dropReasons) {
      if (ingress[reason] + egress[reason] === 0) continue;
      this.#report(tunnelId, this.#reportsOf(tunnelId, ledgers.ingress), reason, ingress[reason], egress[reason]);
    }
  }

  #reportsOf(tunnelId: TunnelId, ledger: Ledger): ReportsOfTunnel['byReason'] {
    const known = this.#reports.get(tunnelId);
    if (known?.ledger === ledger) return known.byReason;
    const byReason = new Map<DropReason, Reported>();
    this.#reports.set(tunnelId, { ledger, byReason });
    return byReason;
  }

  #report(
    tunnelId: TunnelId,
    byReason: ReportsOfTunnel['byReason'],
    reason: DropReason,
    ingress: number,
    egress: number,
  ): void {
    const last = byReason.get(reason);
    const nowMs = this.#clock.monotonicMs();
    if (last !== undefined && nowMs - last.atMs < quietMs) return;
    const since = last ?? { ingress: 0, egress: 0, atMs: Math.max(this.#startedAtMs, nowMs - quietMs) };
    const added = { ingress: ingress - since.ingress, egress: egress - since.egress };
    if (added.ingress + added.egress === 0) return;
    byReason.set(reason, { ingress, egress, atMs: nowMs });
    const windowSecs = Math.max(1, Math.round((nowMs - since.atMs) / 1000));
    this.#events.emit({ kind: 'datagrams-dropped', tunnelId, reason, ...added, windowSecs });
  }
}
