import type { Measurement, Row } from '../figures/figure.ts';
import type { Machine } from '../machine.ts';
import { ratios, summarise, type Summary } from '../statistics.ts';

/** One cell of the table: a row at a relay, over the rounds. */
export interface Cell {
  /** Null when no round gave a number. */
  readonly summary: Summary | null;
  /** Of each round; null where it gave no number. */
  readonly values: readonly (number | null)[];
  /** Medians of what is shown beside the figure. */
  readonly beside: Readonly<Record<string, number>>;
  /** Of the last round. */
  readonly bottleneck: string | null;
  /** Against the reference relay, round by round; null without one, and for the reference itself. */
  readonly ratio: Summary | null;
  /** Why rounds gave no number, each reason once. */
  readonly failures: readonly string[];
}

export interface ResultRow extends Row {
  readonly cells: Readonly<Record<string, Cell>>;
}

/** What latest.json holds. */
export interface Results {
  readonly date: string;
  readonly commit: string | null;
  readonly machine: Machine;
  /** The engines measured, and what the benchmark's own edges ran on. */
  readonly engines: readonly string[];
  readonly edgeEngine: string;
  readonly rounds: number;
  readonly discardedRounds: number;
  readonly seconds: number;
  /** Column names and what they are. */
  readonly relays: Readonly<Record<string, string>>;
  /** What ratios are against; null when it was not there. */
  readonly reference: string | null;
  readonly rows: readonly ResultRow[];
}

/** Collects what the rounds of a run measure. */
export class Recorder {
  readonly #rounds: Map<string, Measurement>[] = [];

  beginRound(): void {
    this.#rounds.push(new Map());
  }

  add(relay: string, measurements: readonly Measurement[]): void {
    for (const measurement of measurements) this.#rounds.at(-1)?.set(key(measurement.row, relay), measurement);
  }

  /**
   * Rows and columns without any measurement are left out. Rounds before `firstRound` do not count. `referenceOf` names
   * the column that another one is compared with; null for none.
   */
  rows(
    rows: readonly Row[],
    relays: readonly string[],
    referenceOf: (relay: string) => string | null,
    firstRound: number,
  ): ResultRow[] {
    const rounds = this.#rounds.slice(firstRound);
    const measured = (row: string, relay: string): (Measurement | null)[] =>
      rounds.map((round) => round.get(key(row, relay)) ?? null);
    return rows.flatMap((row) => {
      const cells = relays.flatMap((relay): [string, Cell][] => {
        const measurements = measured(row.id, relay);
        if (measurements.every((measurement) => measurement === null)) return [];
        const reference = referenceOf(relay);
        const compared = reference === null || reference === relay ? null : measured(row.id, reference);
        return [[relay, cellOf(measurements, compared)]];
      });
      return cells.length === 0 ? [] : [{ ...row, cells: Object.fromEntries(cells) }];
    });
  }
}

function key(row: string, relay: string): string {
  return `${row}\n${relay}`;
}

function cellOf(
  measurements: readonly (Measurement | null)[],
  reference: readonly (Measurement | null)[] | null,
): Cell {
  const values = measurements.map(valueOf);
  const good = measurements.flatMap((measurement) => (measurement?.kind === 'value' ? [measurement] : []));
  const reasons = measurements.flatMap((measurement) => (measurement?.kind === 'failed' ? [measurement.reason] : []));
  const names = new Set(good.flatMap(({ beside }) => Object.keys(beside ?? {})));
  const beside = [...names].map((name): [string, number] => {
    const numbers = good.flatMap((measurement) => measurement.beside?.[name] ?? []);
    return [name, summarise(numbers)?.median ?? NaN];
  });
  return {
    summary: summarise(values.filter((value) => value !== null)),
    values,
    beside: Object.fromEntries(beside),
    bottleneck: good.at(-1)?.bottleneck ?? null,
    ratio: reference === null ? null : summarise(ratios(measurements.map(comparedOf), reference.map(comparedOf))),
    failures: [...new Set(reasons)],
  };
}

function valueOf(measurement: Measurement | null): number | null {
  return measurement?.kind === 'value' ? measurement.value : null;
}

function comparedOf(measurement: Measurement | null): number | null {
  return measurement?.kind === 'value' ? (measurement.compared ?? measurement.value) : null;
}
