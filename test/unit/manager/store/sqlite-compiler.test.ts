import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Tables } from '../../../../src/manager/store/schema.ts';
import { SqliteCompiler } from '../../../../src/manager/store/sqlite-compiler.ts';
import { sampleEvent } from '../../../support/manager/sample-rows.ts';

const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (inside) => new SqliteIntrospector(inside),
    createQueryCompiler: () => new SqliteCompiler(),
  },
});
const events = (count: number) => Array.from({ length: count }, (_, index) => sampleEvent({ message: `${index}` }));

describe('the text of a statement', () => {
  it('is the same for lists of any length, with the list in one parameter', () => {
    const compiled = [1, 2, 500].map((length) =>
      db
        .selectFrom('nodes')
        .select('name')
        .where(
          'id',
          'in',
          Array.from({ length }, (_, index) => `n${index}`),
        )
        .where('kind', '=', 'edge')
        .compile(),
    );
    expect(new Set(compiled.map((query) => query.sql)).size).toBe(1);
    expect(compiled.map(({ parameters }) => parameters.length)).toEqual([2, 2, 2]);
    expect(compiled[1]?.parameters).toEqual(['["n0","n1"]', 'edge']);
  });

  it('is the same for any number of rows, also where some lack a column', () => {
    const compiled = [2, 350].map((count) =>
      db
        .insertInto('events')
        .values([...events(count), sampleEvent({ node_id: 'n' })])
        .onConflict((conflict) => conflict.columns(['node_id', 'event_id']).doNothing())
        .compile(),
    );
    expect(new Set(compiled.map((query) => query.sql)).size).toBe(1);
    expect(compiled[0]?.parameters).toHaveLength(1);
  });

  it('keeps what JSON cannot hold as parameters of their own', () => {
    const bytes = new Uint8Array(2);
    const ids: unknown[] = ['a', bytes];
    const { parameters } = db
      .selectFrom('nodes')
      .select('name')
      .where('id', 'in', ids as string[])
      .compile();
    expect(parameters).toEqual(['a', bytes]);
    const rows = [sampleEvent(), sampleEvent({ message: sql<string>`lower('A')` as never })];
    expect(db.insertInto('events').values(rows).compile().sql).toContain("lower('A')");
  });

  it('keeps texts as both databases can hold them', () => {
    const query = db.selectFrom('nodes').select('name').where('id', 'in', ['a\0b', 'half \uD83D']);
    expect(query.compile().parameters).toEqual(['["a\uFFFDb","half \uFFFD"]']);
  });
});
