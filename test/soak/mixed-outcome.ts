import { sumOfDrops } from '../support/network/faulty-world.ts';
import type { RelaySnapshot } from '../support/programs/relay-process.ts';
import type { MemoryWatch } from './memory-watch.ts';
import type { MischiefCounts } from './mischief.ts';
import { table } from './table.ts';
import type { TransferEnd } from './tcp-traffic.ts';
import type { UdpTraffic } from './udp-traffic.ts';

/** What the mixed chapter has seen when its time is over. */
export interface MixedOutcome {
  readonly ends: Readonly<Record<TransferEnd, number>>;
  readonly mischief: MischiefCounts;
  /** What the far end of the TCP tunnels complained of. */
  readonly farFaults: readonly string[];
  readonly udp: readonly UdpTraffic[];
  readonly memory: MemoryWatch;
  /** Of the relay, when all was quiet again. */
  readonly last: RelaySnapshot;
}

export function faultsOf({ ends, farFaults, udp, memory, last }: MixedOutcome): string[] {
  return [
    ...(ends.wrong > 0 ? [`${ends.wrong} transfers came back wrong`] : []),
    ...(ends.short > 0 ? [`${ends.short} transfers came back short with a clean end`] : []),
    ...(ends.complete === 0 ? ['no transfer was complete'] : []),
    ...(udp.some(({ returned }) => returned > 0) ? [] : ['no datagram came back']),
    ...farFaults,
    ...udp.flatMap(({ faults }) => faults),
    ...ledgerFaults(last),
    ...memory.faults(),
    ...(last.unhandledRejections > 0 ? [`${last.unhandledRejections} unhandled rejections in the relay`] : []),
  ];
}

export function figuresOf({ ends, mischief, farFaults, udp, memory, last }: MixedOutcome): string {
  const sum = (pick: (one: UdpTraffic) => number): number => udp.reduce((total, one) => total + pick(one), 0);
  const { counters } = last.engine;
  const figures: Record<string, number | string> = {
    'transfers that were whole': ends.complete,
    'transfers cut by a death, openly': ends.cut,
    'transfers short or wrong': ends.short + ends.wrong + farFaults.length,
    'datagrams sent': sum(({ sent }) => sent),
    'datagrams that came to the far end': sum(({ arrived }) => arrived),
    'datagrams that came back': sum(({ returned }) => returned),
    'datagrams changed, doubled or astray': sum(({ faults }) => faults.length),
    'legs of which the ledger does not add up': ledgerFaults(last).length,
    'deaths of edges, without a word': mischief.deaths,
    'changes of address': mischief.migrations,
    'mutated inputs': mischief.fuzzedInputs,
    'garbage packets': mischief.garbagePackets,
    'datagrams of strangers sent': mischief.strangerDatagrams,
    'datagrams of strangers refused': counters.unboundSender,
    'rounds of attack that ended early': mischief.lostRounds,
    'handshakes begun': counters.handshakesStarted,
    'unhandled rejections': last.unhandledRejections,
    'memory (RSS)': memory.describe(),
  };
  const rows = Object.entries(figures).map(([name, figure]) => [name, String(figure)]);
  return `${table([['what', 'figure'], ...rows])}\n\n${memory.table()}`;
}

function ledgerFaults({ tunnels }: RelaySnapshot): string[] {
  return tunnels.flatMap((tunnel) =>
    (['ingress', 'egress'] as const)
      .map((direction) => ({ direction, sent: tunnel[direction].sent }))
      .filter(({ sent }) => sent.datagramsIn !== sent.datagramsOut + sumOfDrops(sent))
      .map(({ direction, sent }) => `ledger of ${tunnel.info.tunnel_id} ${direction}: ${JSON.stringify(sent)}`),
  );
}
