import type { ComponentChildren } from 'preact';
import type { Rows } from '../data/rows.ts';
import { Note } from './card.tsx';

interface ListingProps {
  readonly rows: Pick<Rows<unknown>, 'items' | 'loading' | 'error'>;
  /** Shown once it is known that there is nothing. */
  readonly empty: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A list with its rows, with why it could not be read, or with what it means that there is none. */
export function Listing({ rows, empty, children }: ListingProps) {
  const problem = rows.error.value;
  if (rows.items.value.length > 0) {
    return (
      <>
        {problem !== null && <Note tone="bad">{problem}</Note>}
        {children}
      </>
    );
  }
  if (problem !== null) return <Note tone="bad">{problem}</Note>;
  return <>{!rows.loading.value && empty}</>;
}
