import { useSignal } from '@preact/signals';
import { useCallback, useEffect, useRef } from 'preact/hooks';
import { ApiError, get, query } from './api.ts';
import { follow, type LiveMessage } from './live.ts';
import type { Page } from './shapes.ts';
import { later } from './time.ts';

/** A signal that only its owner writes. */
interface Shown<Value> {
  readonly value: Value;
}

export interface Rows<Row> {
  readonly items: Shown<readonly Row[]>;
  /** False while there are further pages. */
  readonly complete: Shown<boolean>;
  readonly loading: Shown<boolean>;
  readonly error: Shown<string | null>;
  /** Reads the list again from its first page. */
  refresh(): void;
  /** Reads the next page, where there is one. */
  more(): void;
}

export type Filter = Readonly<Record<string, string | number | null | undefined>>;

interface RowsOptions {
  /** The live topic with changed rows of this list. */
  readonly topic?: string;
  /** Puts live rows that are not in the list yet on top: an event tail. */
  readonly prepend?: (row: unknown) => boolean;
  /** Reads page after page until the list is whole (or has `mostRows`), so that it can be scrolled anywhere. */
  readonly whole?: boolean;
}

const pageSize = 500;
const mostRows = 20_000;
const settleMs = 120;

/** A list of the API: filtered by the server, read page by page, its rows renewed by the live feed. */
export function useRows<Row extends { readonly id: string }>(
  path: string,
  filter: Filter,
  { topic, prepend, whole = false }: RowsOptions = {},
): Rows<Row> {
  const items = useSignal<readonly Row[]>([]);
  const complete = useSignal(false);
  const loading = useSignal(true);
  const error = useSignal<string | null>(null);
  const next = useRef<string | null>(null);
  const turn = useRef(0);
  const key = path + query(filter);

  const read = useCallback(
    async (after: string | null) => {
      const mine = after === null ? ++turn.current : turn.current;
      loading.value = true;
      try {
        const page = await get<Page<Row>>(path + query({ ...filter, limit: pageSize, after }));
        if (mine !== turn.current) return;
        items.value = after === null ? page.items : [...items.value, ...page.items];
        next.current = page.next;
        complete.value = page.next === null;
        if (whole && page.next !== null && items.value.length < mostRows) later(() => void read(page.next), 0);
        error.value = null;
      } catch (thrown) {
        if (mine === turn.current) error.value = thrown instanceof ApiError ? thrown.message : String(thrown);
      } finally {
        if (mine === turn.current) loading.value = false;
      }
    },
    [key],
  );

  useEffect(() => later(() => void read(null), items.peek().length === 0 ? 0 : settleMs), [read]);
  useEffect(() => {
    if (topic === undefined) return;
    let cancel: (() => void) | null = null;
    const unfollow = follow(topic, (message) => {
      items.value = patched(items.peek(), message, prepend);
      if (!saysReadAgain(message) || cancel !== null) return;
      cancel = later(() => {
        cancel = null;
        void read(null);
      }, settleMs);
    });
    return () => {
      unfollow();
      cancel?.();
    };
  }, [topic, key]);

  const more = useCallback(() => {
    if (next.current === null || loading.peek()) return;
    void read(next.current);
  }, [read]);
  return { items, complete, loading, error, refresh: () => void read(null), more };
}

/** Something has changed that the message does not name. */
function saysReadAgain({ type, items = [], removed = [] }: LiveMessage): boolean {
  return type === 'delta' && items.length === 0 && removed.length === 0;
}

function patched<Row extends { readonly id: string }>(
  rows: readonly Row[],
  message: LiveMessage,
  prepend: RowsOptions['prepend'],
): readonly Row[] {
  const changed = new Map((message.items as readonly Row[] | undefined)?.map((row) => [row.id, row]));
  const removed = new Set(message.removed);
  if (changed.size === 0 && removed.size === 0) return rows;
  const kept = rows.filter((row) => !removed.has(row.id)).map((row) => changed.get(row.id) ?? row);
  if (prepend === undefined) return kept;
  const known = new Set(rows.map((row) => row.id));
  const fresh = [...changed.values()].filter((row) => !known.has(row.id) && prepend(row));
  return [...fresh.reverse(), ...kept];
}
