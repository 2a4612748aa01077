import { expect, it } from 'vitest';
import { readPage } from '../../support/markdown.ts';
import { situations } from '../../support/why/situations.ts';

it('each row of the table of operations.md is a situation that adit why is tried in', () => {
  const [, table = ''] = readPage('docs/operations.md').split(/^\| it says .*\n\| -.*\n/m);
  const [rows = ''] = table.split('\n\n');
  const says = rows.split('\n').map((row) => row.split('|')[1]?.trim());
  expect(says.length).toBeGreaterThan(20);
  expect([...new Set(situations.flatMap(({ rows: shown = [] }) => shown))].toSorted()).toEqual(says.toSorted());
});
