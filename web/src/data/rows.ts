import { useSignal } from '@preact/signals';
import { useCallback, useEffect, useRef } from 'preact/hooks';
import { ApiError, get, query } from './api.ts';
import { follow } from './live.ts';
import { changeOf, type Prepends } from './row-changes.ts';
import { signInNeeded } from './session.ts';
import type { Page } from './shapes.ts';
import { every, later, nowMs } from './time.ts';

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
  readonly prepend?: Prepends;
  /** Reads page after page until the list is whole (or has `mostRows`), so that it can be scrolled anywhere. */
  readonly whole?: boolean;
  /** Reads again so often: for lists without a topic. */
  readonly everyMs?: number;
}

const pageSize = 500;
/** Fills the window of a long list soon; its further pages follow by themselves. */
const firstPageSize = 100;
const mostRows = 20_000;
/** A tail that stays open grows no further: it is read anew, from its newest rows. */
const mostFreshRows = 5_000;
const settleMs = 120;
/** Rows that the list does not have yet: where they belong, only the manager knows. */
const unknownRowsMs = 2_000;

/** A list of the API: filtered by the server, read page by page, its rows renewed by the live feed. */
export function useRows<Row extends { readonly id: string }>(
  path: string,
  filter: Filter,
  { topic, prepend, whole = false, everyMs }: RowsOptions = {},
): Rows<Row> {
  const list = useList<Row>();
  const { read, more } = useReading(list, { path, filter, whole });
  useLiveRows(list, read, { topic, prepend });
  useEffect(() => {
    if (everyMs === undefined) return;
    return every(() => {
      if (!list.loading.peek() && !signInNeeded.peek()) void read(null);
    }, everyMs);
  }, [read, everyMs]);
  const { items, complete, loading, error } = list;
  return { items, complete, loading, error, refresh: () => void read(null), more };
}

function useList<Row>() {
  return {
    items: useSignal<readonly Row[]>([]),
    complete: useSignal(false),
    loading: useSignal(true),
    error: useSignal<string | null>(null),
    /** Where the next page begins. */
    next: useRef<string | null>(null),
    /** Counts reads from the first page: what an earlier one still brings is dropped. */
    turn: useRef(0),
    /** When the first page was last asked for. */
    readAt: useRef(0),
    /** What the shown rows were read by. */
    shownKey: useRef(''),
  };
}

type List<Row> = ReturnType<typeof useList<Row>>;

interface Reading {
  /** From the first page, or from where a page before ended. */
  read(after: string | null): Promise<void>;
  more(): void;
}

function useReading<Row extends { readonly id: string }>(
  list: List<Row>,
  { path, filter, whole }: { readonly path: string; readonly filter: Filter; readonly whole: boolean },
): Reading {
  const { items, complete, loading, error, next, turn, readAt, shownKey } = list;
  const key = path + query(filter);
  const read = useCallback(
    async (after: string | null): Promise<void> => {
      const mine = after === null ? ++turn.current : turn.current;
      const isCurrent = () => mine === turn.current;
      /** A list that is shown already is replaced once all of it was read, so that nothing jumps. */
      const isRenewal = after === null && whole && shownKey.current === key;
      loading.value = true;
      if (after === null) readAt.current = nowMs();
      try {
        const size = whole && after === null && !isRenewal ? firstPageSize : pageSize;
        const goesOn = (count: number) => isRenewal && count < mostRows && isCurrent();
        const part = await readPages<Row>({ path, filter, after, size, goesOn });
        if (!isCurrent()) return;
        items.value = after === null ? part.items : joined(items.value, part.items);
        shownKey.current = key;
        next.current = part.next;
        complete.value = part.next === null;
        error.value = null;
        if (whole && part.next !== null && items.value.length < mostRows) {
          later(() => void (isCurrent() && read(part.next)), 0);
        }
      } catch (thrown) {
        if (isCurrent()) error.value = thrown instanceof ApiError ? thrown.message : String(thrown);
      } finally {
        if (isCurrent()) loading.value = false;
      }
    },
    [key],
  );
  // The first change of a filter is read at once; further ones, as somebody types, a little apart.
  useEffect(() => later(() => void read(null), Math.max(0, readAt.current + settleMs - nowMs())), [read]);
  const more = useCallback(() => {
    if (next.current !== null && !loading.peek()) void read(next.current);
  }, [read]);
  return { read, more };
}

/** What came late, as an event of a node that was away, is shown already when its page is read. */
function joined<Row extends { readonly id: string }>(shown: readonly Row[], further: readonly Row[]): readonly Row[] {
  const ids = new Set(shown.map(({ id }) => id));
  return [...shown, ...further.filter(({ id }) => !ids.has(id))];
}

interface PagesWanted {
  readonly path: string;
  readonly filter: Filter;
  readonly after: string | null;
  /** Rows of the first page. */
  readonly size: number;
  /** Whether to read on, once so many rows were read. */
  goesOn(count: number): boolean;
}

async function readPages<Row>({ path, filter, after, size, goesOn }: PagesWanted): Promise<Page<Row>> {
  let { items, next } = await get<Page<Row>>(path + query({ ...filter, limit: size, after }));
  while (next !== null && goesOn(items.length)) {
    const further: Page<Row> = await get<Page<Row>>(path + query({ ...filter, limit: pageSize, after: next }));
    items = [...items, ...further.items];
    next = further.next;
  }
  return { items, next };
}

function useLiveRows<Row extends { readonly id: string }>(
  { items }: List<Row>,
  read: Reading['read'],
  { topic, prepend }: { readonly topic: string | undefined; readonly prepend: Prepends | undefined },
): void {
  useEffect(() => {
    if (topic === undefined) return;
    let cancel: (() => void) | null = null;
    const readIn = (delayMs: number) => {
      cancel ??= later(() => {
        cancel = null;
        void read(null);
      }, delayMs);
    };
    let grown = 0;
    const unfollow = follow(topic, (message) => {
      const change = changeOf(items.peek(), message, prepend);
      grown += change.rows.length - items.peek().length;
      items.value = change.rows;
      if (grown > mostFreshRows) {
        grown = 0;
        readIn(settleMs);
      }
      if (change.readAgain !== 'no') readIn(change.readAgain === 'now' ? settleMs : unknownRowsMs);
    });
    return () => {
      unfollow();
      cancel?.();
    };
  }, [topic, read]);
}
