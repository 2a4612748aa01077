import { describe, expect, it } from 'vitest';
import { changeOf } from '../../../web/src/data/row-changes.ts';

const rows = [
  { id: 'a', name: 'one' },
  { id: 'b', name: 'two' },
];

describe('a live message about a list', () => {
  it('renews rows and takes out those that are gone', () => {
    const message = { type: 'delta', items: [{ id: 'b', name: 'new' }], removed: ['a'] } as const;
    expect(changeOf(rows, message)).toEqual({ rows: [{ id: 'b', name: 'new' }], readAgain: 'no' });
  });

  it('that names a row which the list does not have asks for a read: the filter is the manager’s', () => {
    expect(changeOf(rows, { type: 'delta', items: [{ id: 'c', name: 'new' }] })).toEqual({ rows, readAgain: 'soon' });
  });

  it('that names a removed row which the list does not have asks for nothing', () => {
    const message = { type: 'delta', items: [{ id: 'c', name: 'x' }], removed: ['c'] } as const;
    expect(changeOf(rows, message)).toEqual({ rows, readAgain: 'no' });
  });

  it('that names nothing asks for a read, as after a connection was lost', () => {
    expect(changeOf(rows, { type: 'delta', items: [] }).readAgain).toBe('now');
    expect(changeOf(rows, { type: 'snapshot', items: [] }).readAgain).toBe('no');
  });

  it('of a tail puts new rows that belong to it on top, newest first', () => {
    const items = [
      { id: 'c', name: 'three' },
      { id: 'd', name: 'four' },
      { id: 'e', name: 'five' },
    ];
    const { rows: after, readAgain } = changeOf(rows, { type: 'delta', items }, (row) => row !== items[1]);
    expect(after.map(({ id }) => id)).toEqual(['e', 'c', 'a', 'b']);
    expect(readAgain).toBe('no');
  });
});
