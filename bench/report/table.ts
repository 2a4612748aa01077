import type { Summary } from '../statistics.ts';
import type { Cell, ResultRow, Results } from './results.ts';

const gap = '  ';
const nothing = '–';

/** The whole report for people, as plain text. */
export function formatReport(results: Results): string {
  const relays = Object.keys(results.relays);
  const head = ['figure', ...relays];
  const body = results.rows.map((row) => [
    `${row.id}, ${row.unit}`,
    ...relays.map((relay) => cellText(row.cells[relay])),
  ]);
  return [...headLines(results), '', ...align([head, ...body]), '', ...footLines(results, relays)].join('\n') + '\n';
}

/** Three significant digits, or all of them in front of the point. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ');
  return value.toFixed(size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return nothing;
  if (cell.summary === null) return 'FAILED';
  const ratio = cell.ratio === null ? [] : [`×${formatNumber(cell.ratio.median)}${spread(cell.ratio)}`];
  const beside = Object.entries(cell.beside).map(([name, value]) => `${formatNumber(value)} ${name}`);
  const failed = cell.failures.length > 0 ? ['FAILED in some rounds'] : [];
  return [`${formatNumber(cell.summary.median)}${spread(cell.summary)}`, ...ratio, ...beside, ...failed].join('; ');
}

function spread({ min, max, count }: Summary): string {
  return count < 2 ? '' : ` [${formatNumber(min)} to ${formatNumber(max)}]`;
}

function align(lines: readonly (readonly string[])[]): string[] {
  const columns = lines[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines.map((line) =>
    line
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}

function headLines({ date, commit, machine, rounds, discardedRounds, seconds, edgeEngine }: Results): string[] {
  const counted = rounds === 1 ? 'one round' : `medians of ${rounds} rounds [smallest to largest]`;
  const discarded = discardedRounds === 0 ? '' : `, ${discardedRounds} before them not counted`;
  return [
    `adit bench, ${date}, commit ${commit ?? 'unknown'}`,
    `${machine.cpu}, ${machine.cpus} CPUs, ${machine.memoryGb} GB, Linux ${machine.kernel}, Node ${machine.node}, load before ${machine.loadAverage.toFixed(1)}`,
    `${counted}${discarded}, ${Math.round(seconds)} s${edgeEngine === '' ? '' : `; edges on ${edgeEngine}`}`,
  ];
}

function footLines({ relays, reference, rows }: Results, names: readonly string[]): string[] {
  const legend = Object.entries(relays).map(([name, description]) => `${name}: ${description}`);
  const ratio = reference === null ? [] : [`×: against ${reference} in the same round (latency: of the round trips)`];
  const limits = rows.flatMap(limitLine);
  const failures = names.flatMap((relay) => failureLines(rows, relay));
  return [...legend, ...ratio, ...section('What was at its limit:', limits), ...section('Failed:', failures)];
}

function limitLine({ id, cells }: ResultRow): string[] {
  const limits = Object.entries(cells).flatMap(([relay, { bottleneck }]) =>
    bottleneck === null ? [] : [`${relay} ${bottleneck}`],
  );
  return limits.length === 0 ? [] : [`${id}: ${limits.join(', ')}`];
}

/** Each reason once, with the rows that it cost. */
function failureLines(rows: readonly ResultRow[], relay: string): string[] {
  const failures = rows.flatMap(({ id, cells }) => (cells[relay]?.failures ?? []).map((reason) => ({ id, reason })));
  const byReason = Map.groupBy(failures, ({ reason }) => reason);
  return [...byReason].map(([reason, cost]) => `${relay}, ${cost.map(({ id }) => id).join(', ')}: ${reason}`);
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}
