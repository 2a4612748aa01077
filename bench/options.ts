import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Media over bad paths in place of the figures of the relay. */
  readonly isPaths: boolean;
  /** TCP through a tunnel beside the kernel's TCP over bad paths. */
  readonly isStreams: boolean;
  /** Edge, relay and edge as programs, beside frp, in place of the relay. */
  readonly isChain: boolean;
  /** The observer in place of the relay. */
  readonly isObserver: boolean;
  readonly isFull: boolean;
  /** Rounds that count. */
  readonly rounds: number;
  /** The first round is only there to warm the machine up. */
  readonly discardFirst: boolean;
  /** Names of figures, or all. */
  readonly only: readonly string[] | null;
  /** Of the first round's paths; null: drawn. */
  readonly seed: number | null;
  /** Names of columns, or all that there are here. */
  readonly relays: readonly string[] | null;
  /** Name of the files in results/; null: nothing is written. */
  readonly save: string | null;
}

export const usage = `Usage: npm run bench [-- options]

Measures every QUIC engine that is built here, beside references on the same machine in the same run. One round takes
under five minutes. Writes bench/results/latest.*.

  --paths           live media over paths that lose, delay and reorder; writes results/paths.*. With --full every cell,
                    --only takes parts of their names; --seed N repeats the paths of a run, whose seeds are printed
  --streams         TCP through a tunnel beside the kernel's TCP, over paths like those of --paths (needs root, ip and
                    /dev/net/tun); takes --full, --only and --seed as well; writes results/streams.*
  --media           SRT to SRT at 10 Mbit/s, beside srt-live-transmit (Debian: srt-tools); --seconds N for each
  --observer        the observer; VARTA_WATCH=path measures varta-watch 0.2.0 beside it; writes results/observer.*
  --frp             edge, relay and edge as operators start them, TCP and UDP from end to end; FRPS=path and FRPC=path
                    measure frp beside them (QUIC, encryption on), BASE=folder another checkout; writes results/frp.*
  --full            five rounds and one before them that does not count: medians with their spread
  --rounds N        that many rounds; more than one: one more before them that does not count
  --only A,B        only these figures; the results are printed and not written
  --relays A,B      only these columns; the results are printed and not written
  --save NAME       writes results/NAME.* instead of latest.*, also for a part
  --help

BASE=folder         also measures the relay of another checkout, engine by engine; with --paths its whole build
LOADGEN=path        also measures with the load generator of ../shared/loadgen, and its reference relay (some minutes more)
`;

const fullRounds = 5;
/** Seeds are below it. */
export const seedCount = 1_000_000;

/** Throws an Error for people when the arguments make no sense. */
export function parseOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      paths: { type: 'boolean', default: false },
      streams: { type: 'boolean', default: false },
      observer: { type: 'boolean', default: false },
      frp: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string' },
      relays: { type: 'string' },
      seed: { type: 'string' },
      save: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const rounds = roundsOf(values.rounds, values.full);
  const { only, relays, streams: isStreams, frp: isChain, observer: isObserver, full: isFull } = values;
  const isPaths = values.paths && !isStreams;
  const whole = wholeName(values);
  const save = values.save ?? (only === undefined && relays === undefined ? whole : null);
  if (save !== null && !/^[\w-]+$/.test(save)) throw new Error('--save takes a plain name: letters, digits, - and _');
  const discardFirst = rounds > 1 && !isPaths && !isStreams;
  const [chosen, seed] = [{ only: names(only), relays: names(relays) }, seedOf(values.seed)];
  const kind = { isPaths, isStreams, isChain, isObserver };
  return { ...kind, isFull, rounds, discardFirst, seed, ...chosen, save };
}

/** The first one that is asked for names the files. */
const separateKinds = ['streams', 'paths', 'observer', 'frp'] as const;

/** Under which name a whole run is kept. */
function wholeName(values: Readonly<Record<(typeof separateKinds)[number], boolean>>): string {
  return separateKinds.find((name) => values[name]) ?? 'latest';
}

function roundsOf(text: string | undefined, isFull: boolean): number {
  const rounds = text === undefined ? (isFull ? fullRounds : 1) : Number(text);
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error('--rounds must be a whole number from 1 on');
  return rounds;
}

function seedOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const seed = Number(text);
  if (!Number.isSafeInteger(seed) || seed < 0 || seed >= seedCount) {
    throw new Error(`--seed must be a whole number below ${seedCount}`);
  }
  return seed;
}

/** Throws an Error that lists what there is when a name is unknown. */
export function choose<Item extends { readonly name: string }>(
  items: readonly Item[],
  chosen: readonly string[] | null,
): readonly Item[] {
  const unknown = chosen?.find((name) => !items.some((item) => item.name === name));
  if (unknown !== undefined) {
    const names = new Set(items.map(({ name }) => name));
    throw new Error(`there is no "${unknown}" here; there is ${[...names].join(', ')}`);
  }
  return chosen === null ? items : items.filter(({ name }) => chosen.includes(name));
}

function names(list: string | undefined): readonly string[] | null {
  return list === undefined ? null : list.split(',').map((name) => name.trim());
}
