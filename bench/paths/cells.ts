import { faultless, payloadOfMtu, type Faults } from '../../test/support/network/faulty-path.ts';

/** What live media sends: datagrams of one size at an even pace. */
export interface MediaRate {
  readonly perSecond: number;
  readonly seconds: number;
}

/** A condition of the path that media is sent over. */
export interface Cell {
  readonly name: string;
  /** In force in both directions. */
  readonly faults: Partial<Faults>;
  /** Further faults, this many seconds after the media has begun; the last one stays. */
  readonly later: readonly { readonly afterSecs: number; readonly faults: Partial<Faults> }[];
  /** A narrow link on the way to the relay, in shares of what the media needs; null: none. */
  readonly link: { readonly share: number; readonly bufferMs: number } | null;
  /** Bytes of media in each datagram. */
  readonly payloadBytes: number;
  /** Random loss in percent where the cell is nothing else; it has a place on the plot then. */
  readonly lossPercent: number | null;
  /** Part of the quick run. */
  readonly isQuick: boolean;
}

/** One cell at one rate: a line of the table. */
export interface PathCase {
  readonly id: string;
  readonly cell: Cell;
  readonly rate: MediaRate;
  /** Where the path loses and reorders: the same for each column, another one in each round. */
  readonly seed: number;
}

/** An SRT packet: seven TS packets and a header. */
const srtBytes = 1332;
/** An edge's seal and the tunnel's id. */
export const tunnelOverheadBytes = 44;
/** Around a datagram in a QUIC packet: header, packet number, frame and tag. */
const quicOverheadBytes = 29;

const slowRate: MediaRate = { perSecond: 380, seconds: 8 };
const fastRate: MediaRate = { perSecond: 2000, seconds: 5 };
const usualRttMs = 40;

/** Faults that a cell does not name are those of a good path of 40 ms. */
function cell(name: string, faults: Partial<Faults>, more: Partial<Cell> = {}): Cell {
  return {
    name,
    faults: { ...faultless, delayMs: usualRttMs / 2, ...faults },
    later: [],
    link: null,
    payloadBytes: srtBytes,
    lossPercent: null,
    isQuick: false,
    ...more,
  };
}

function lossCell(percent: number): Cell {
  const isQuick = [0, 1, 2, 5, 10].includes(percent);
  return cell(`loss ${percent} %`, { lossRate: percent / 100 }, { lossPercent: percent, isQuick });
}

function rttCell(rttMs: number): Cell {
  return cell(`loss 1 %, RTT ${rttMs} ms`, { lossRate: 0.01, delayMs: rttMs / 2 });
}

function linkCell(percent: number, bufferMs: number): Cell {
  const isQuick = percent === 80 && bufferMs === 300;
  return cell(`link ${percent} %, buffer ${bufferMs} ms`, {}, { link: { share: percent / 100, bufferMs }, isQuick });
}

/** As large as fits behind a tunnel with this MTU; SRT's own packets do not. */
function mtuCell(mtu: number): Cell {
  const payloadBytes = payloadOfMtu(mtu) - quicOverheadBytes - tunnelOverheadBytes - 8;
  return cell(`MTU ${mtu}`, { largestPayload: payloadOfMtu(mtu) }, { payloadBytes });
}

const outage = cell(
  'outage of 3 s',
  {},
  {
    later: [
      { afterSecs: 2, faults: { partitioned: true } },
      { afterSecs: 5, faults: { partitioned: false } },
    ],
  },
);

const changing = cell(
  'changing every 2 s',
  { lossRate: 0.01 },
  {
    isQuick: true,
    later: [
      { afterSecs: 2, faults: { lossRate: 0, delayMs: 40, jitterMs: 30, jitterReorders: true } },
      { afterSecs: 4, faults: { delayMs: 10, jitterMs: 0, reorderRate: 0.02, reorderMs: 15 } },
      { afterSecs: 6, faults: { delayMs: 30, reorderRate: 0, burstRate: 0.002 } },
    ],
  },
);

const allCells: readonly Cell[] = [
  ...[0, 0.3, 1, 2, 5, 10].map(lossCell),
  cell('bursts 0.2 %/20 %', { burstRate: 0.002, burstEndRate: 0.2 }, { isQuick: true }),
  ...[10, 80, 200].map(rttCell),
  cell('jitter 10 ms', { jitterMs: 10, jitterReorders: true }),
  cell('jitter 30 ms', { jitterMs: 30, jitterReorders: true }, { isQuick: true }),
  cell('jitter 30 ms in order', { jitterMs: 30 }),
  cell('2 % reordered by 15 ms', { reorderRate: 0.02, reorderMs: 15 }, { isQuick: true }),
  ...[1420, 1280].map(mtuCell),
  ...[120, 100, 80].flatMap((percent) => [50, 300].map((bufferMs) => linkCell(percent, bufferMs))),
  outage,
  changing,
];

/** More than there are lines: no two rounds have a seed in common. */
const seedsOfRound = 1000;

/** Lines of the table, with the seeds of one round: everything, or what tells most within three minutes. */
export function pathCases(isFull: boolean, roundSeed: number): readonly PathCase[] {
  const slow = allCells.filter(({ isQuick }) => isFull || isQuick);
  const fast = isFull ? allCells : allCells.filter(({ lossPercent }) => lossPercent === 1);
  const lines = [
    ...slow.map((each) => ({ cell: each, rate: slowRate })),
    ...fast.map((each) => ({ cell: each, rate: fastRate })),
  ];
  return lines.map(({ cell: each, rate }, index) => ({
    id: `${rate.perSecond}/s ${each.name}`,
    cell: each,
    rate,
    seed: roundSeed * seedsOfRound + index,
  }));
}

/** UDP payload of a packet that carries one datagram of this cell through the tunnel. */
export function packetBytes({ payloadBytes }: Cell): number {
  return payloadBytes + tunnelOverheadBytes + quicOverheadBytes;
}

/** The faults at the start, with the narrow link in bytes a second for this rate. */
export function faultsOf({ cell: { faults, link }, cell: each, rate }: PathCase): {
  up: Partial<Faults>;
  down: Partial<Faults>;
} {
  if (link === null) return { up: faults, down: faults };
  const bytesPerSecond = Math.round(link.share * rate.perSecond * packetBytes(each));
  const queueBytes = Math.round((bytesPerSecond * link.bufferMs) / 1000);
  return { up: { ...faults, bytesPerSecond, queueBytes }, down: faults };
}
