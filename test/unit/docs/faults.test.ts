import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPage, repository } from '../../support/markdown.ts';

interface Row {
  readonly fault: string;
  readonly file: string;
  /** Empty: the whole file. */
  readonly name: string;
}

/** A row without an id is about the fault above it. */
function rowsOf(page: string): readonly Row[] {
  const rows: Row[] = [];
  for (const line of page.split('\n')) {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    const [, id = '', , test = ''] = cells;
    const [, file, name = ''] = /^`(test\/[^`]+)`(?:: (.+))?$/.exec(test.replaceAll(/\\(.)/g, '$1')) ?? [];
    if (file !== undefined) rows.push({ fault: id === '' ? (rows.at(-1)?.fault ?? '') : id, file, name });
  }
  return rows;
}

const numbered = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);

describe('the page of faults', () => {
  const rows = rowsOf(readPage('docs/faults.md'));

  it('has every fault, each with a test', () => {
    expect([...new Set(rows.map(({ fault }) => fault))]).toEqual([
      ...numbered('B', 18),
      ...numbered('C', 10),
      ...numbered('D', 8),
    ]);
  });

  it.each(rows)('names a test that is there: $file $name', ({ file, name }) => {
    expect(existsSync(join(repository, file))).toBe(true);
    const source = readFileSync(join(repository, file), 'utf8').replaceAll(/\\(['"`])/g, '$1');
    expect(source).toContain(name);
  });
});
