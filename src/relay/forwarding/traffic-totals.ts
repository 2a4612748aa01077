import { type DropReason, dropReasons, type Ledger, type LedgerTotals, noDrops } from '../../quic/types.ts';

export type DropTotals = Readonly<Record<DropReason, number>>;

/** What both legs of one tunnel, or of all, have sent: payload bytes and datagrams (docs/protocol/tunnel.md §3). */
export interface TrafficTotals {
  readonly bytesIngress: number;
  readonly bytesEgress: number;
  /** Of both, what the other leg's connection has accepted. */
  readonly bytesForwarded: number;
  readonly datagrams: number;
  readonly streams: number;
  readonly drops: DropTotals;
}

export const noTraffic: TrafficTotals = {
  bytesIngress: 0,
  bytesEgress: 0,
  bytesForwarded: 0,
  datagrams: 0,
  streams: 0,
  drops: noDrops,
};

/** The two ledgers of a tunnel, which live as long as it does, whichever edges hold its legs. */
export interface LegLedgers {
  readonly ingress: Ledger;
  readonly egress: Ledger;
}

export function tunnelTotals(ledgers: LegLedgers, streams: number): TrafficTotals {
  const ingress = ledgers.ingress.totals();
  const egress = ledgers.egress.totals();
  return {
    bytesIngress: ingress.datagramBytesIn + ingress.streamBytes,
    bytesEgress: egress.datagramBytesIn + egress.streamBytes,
    bytesForwarded: forwardedBytes(ingress) + forwardedBytes(egress),
    datagrams: ingress.datagramsIn + egress.datagramsIn,
    streams,
    drops: addDrops(ingress.drops, egress.drops),
  };
}

export function addTraffic(a: TrafficTotals, b: TrafficTotals): TrafficTotals {
  return {
    bytesIngress: a.bytesIngress + b.bytesIngress,
    bytesEgress: a.bytesEgress + b.bytesEgress,
    bytesForwarded: a.bytesForwarded + b.bytesForwarded,
    datagrams: a.datagrams + b.datagrams,
    streams: a.streams + b.streams,
    drops: addDrops(a.drops, b.drops),
  };
}

function forwardedBytes(totals: LedgerTotals): number {
  return totals.datagramBytesOut + totals.streamBytes;
}

function addDrops(a: DropTotals, b: DropTotals): DropTotals {
  const sum: Record<DropReason, number> = { ...a };
  for (const reason of dropReasons) sum[reason] += b[reason];
  return sum;
}
