import { describe, expect, it } from 'vitest';
import results from '../../../bench/results/frp.json' with { type: 'json' };
import { readPage } from '../../support/markdown.ts';

type Row = (typeof results.rows)[number];
type Column = keyof Row['cells'];
type Pick = (cell: Row['cells'][Column]) => number | undefined;

const [rate, tcpCpu, lost, udpCpu, p99] = ['TCP one way', 'TCP, CPU', 'UDP 1316 B at 5k/s, lost', 'CPU of all', 'p99'];
const median: Pick = ({ summary }) => summary.median;
const ratio: Pick = (cell) => cell.ratio?.median ?? 1;
const ofRelay: Pick = ({ beside }) => ('relay' in beside ? beside.relay : undefined);

/** A page, its columns, and by what a line begins with: the row of the results, and what the line shows of it. */
const tables: readonly (readonly [string, readonly Column[], Readonly<Record<string, readonly [string, Pick]>>])[] = [
  [
    'README.md',
    ['native', 'frp'],
    {
      'TCP one way, MB/s': [rate, median],
      'CPU of all three for a gigabyte, s': [tcpCpu, median],
      'CPU of all three for a datagram of media, µs': [`5k/s, ${udpCpu}`, median],
      '99 of 100 round trips at 5 000 a second take less, ms': [p99, median],
    },
  ],
  [
    'docs/capacity.md',
    ['native', 'quiche', 'base native', 'base quiche', 'frp'],
    {
      'TCP one way, MB/s': [rate, median],
      'the same, × frp in the same round': [rate, ratio],
      'TCP, CPU of all three, s for a gigabyte': [tcpCpu, median],
      'UDP 1316 bytes, 5 000 a second, lost, %': [lost, median],
      'UDP, CPU of all three, µs for a datagram': [`5k/s, ${udpCpu}`, median],
      'UDP, 99 of 100 round trips are faster, ms': [p99, median],
    },
  ],
];

describe('the figures of the real programs', () => {
  it.each(tables)('are the medians of the results, in %s', (page, columns, lines) => {
    const text = readPage(page);
    for (const [begin, [id, pick]] of Object.entries(lines)) {
      const row = results.rows.find((one) => one.id.includes(id));
      if (row === undefined) throw new Error(`no row ${id}`);
      const shown = cellsAfter(text, begin);
      expect([begin, shown.length]).toEqual([begin, columns.length]);
      for (const [index, column] of columns.entries()) {
        expect([begin, column, shown[index]]).toEqual([
          begin,
          column,
          likeShown(shown[index], pick(row.cells[column])),
        ]);
      }
    }
  });

  it('show the share of the relay below those of all three', () => {
    const text = readPage('docs/capacity.md');
    const shares = [...text.matchAll(/^\| of which the relay +\|(.*)\|$/gm)].map(([, cells = '']) => split(cells));
    const rows = [tcpCpu, `5k/s, ${udpCpu}`].map((id) => results.rows.find((row) => row.id.includes(id)));
    const columns: readonly Column[] = ['native', 'quiche', 'base native', 'base quiche', 'frp'];
    const expected = rows.map((row, at) =>
      columns.map((column, index) => likeShown(shares[at]?.[index], row && ofRelay(row.cells[column]))),
    );
    expect(shares).toEqual(expected);
  });

  it('name the commit and the day of the results', () => {
    expect(readPage('README.md').replaceAll(/\s+/g, ' ')).toContain(
      `measured at commit ${results.commit} on ${results.date.slice(0, 10)}`,
    );
  });
});

function cellsAfter(text: string, begin: string): readonly string[] {
  const line = text.split('\n').find((one) => one.startsWith(`| ${begin} `));
  return split(line?.slice(begin.length + 2).replace(/^ *\||\|$/g, '') ?? '');
}

function split(cells: string): readonly string[] {
  return cells.split('|').map((cell) => cell.trim());
}

/** With as many digits behind the point as the page shows; what is half way may be shown either way. */
function likeShown(shown: string | undefined, value: number | undefined): string | undefined {
  const digits = shown?.split('.')[1]?.length ?? 0;
  return value?.toFixed(digits);
}
