import { oppositeDirection, type Direction } from '../../protocol/tunnel/leg.ts';
import type { RelayTunnelReport } from '../../relay/admin/relay-schemas.ts';
import { counted } from './counted.ts';
import { note, problem, type Finding } from './finding.ts';
import { largestPayloadWords } from './largest-payload.ts';

interface Drops {
  readonly reason: string;
  readonly total: number;
  /** Between the two samples. */
  readonly now: number;
}

type Explain = (towards: Direction, tunnel: RelayTunnelReport) => readonly [why: string, remedy: string];

const fullQueue: Explain = (towards) => [
  `more is sent than the ${towards} leg carries`,
  `lower the bit rate, or look at the network of the ${towards} edge`,
];

const reasons: Readonly<Record<string, Explain>> = {
  no_peer: (towards) => [`the ${towards} leg was not there`, `look at the ${towards} edge`],
  too_large: (towards, tunnel) => [
    `they do not fit a packet to the ${towards} edge: ${largestPayloadWords(tunnel[towards].leg?.path ?? null)}`,
    'send smaller datagrams (for SRT and RTP: a smaller payload size), or mend the path MTU at that end',
  ],
  queue_full: fullQueue,
  expired: fullQueue,
  congestion: fullQueue,
  wrong_protocol: () => ['the tunnel carries tcp, not udp', 'give both edges the protocol that is meant'],
  closing: () => ['the tunnel was being closed', 'nothing: this ends by itself'],
};

/** Datagrams that did not get through, by the leg that sent them. */
export function explainDrops(
  before: RelayTunnelReport | null,
  after: RelayTunnelReport,
  direction: Direction,
): readonly Finding[] {
  const earlier = before?.[direction].sent.drops ?? {};
  const all = Object.entries(after[direction].sent.drops).map(([reason, total]): Drops => {
    return { reason, total, now: Math.max(0, total - (earlier[reason] ?? 0)) };
  });
  return all.filter(({ total }) => total > 0).map((drops) => explain(drops, after, direction));
}

function explain({ reason, total, now }: Drops, tunnel: RelayTunnelReport, direction: Direction): Finding {
  const towards = oppositeDirection(direction);
  const [why, remedy] = reasons[reason]?.(towards, tunnel) ?? [reason, 'see docs/operations.md'];
  const dropped = (count: number): string => `${counted(count, 'datagram', ` from the ${direction} edge`)} dropped`;
  if (now > 0) return problem(`${dropped(now)} just now (${total} in all, ${reason}): ${why}.`, remedy);
  return note(`${dropped(total)} earlier (${reason}): ${why}.`);
}
