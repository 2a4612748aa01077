import type { EventRow } from '../../../src/manager/store/schema.ts';
import { FleetError } from '../../../src/manager/fleet-error.ts';
import type { EventQuery, Page, PageQuery } from '../../../src/manager/store/store.ts';

export function found<View>(views: ReadonlyMap<string, View>, id: string, word: string): View {
  const view = views.get(id);
  if (view === undefined) throw new FleetError('not_found', `${word} '${id}' not found`);
  return view;
}

export function refuseStale(current: number, expected: number | null): void {
  if (expected !== null && expected !== current)
    throw new FleetError('stale', 'It has changed meanwhile; read it again');
}

export function filterRemoved<View extends { readonly removed_at: number | null }>(
  views: Iterable<View>,
  removed: boolean,
): View[] {
  return Array.from(views).filter(({ removed_at }) => (removed_at !== null) === removed);
}

export function paged<View extends { readonly name: string }>(
  views: Iterable<View>,
  { limit, after, q }: PageQuery,
): Page<View> {
  const all = Array.from(views).filter(
    ({ name }) => (q ?? '') === '' || name.toLowerCase().includes((q ?? '').toLowerCase()),
  );
  const from = Number.parseInt(after ?? '0', 10);
  const items = all.slice(from, from + limit);
  return { items, next: from + limit < all.length ? String(from + limit) : null };
}

export function eventMatches(event: EventRow, query: EventQuery): boolean {
  const { after, severity, text, nodeId, tunnelId, category, unacknowledged, from } = query;
  return [
    event.id < (after ?? Number.MAX_SAFE_INTEGER),
    event.severity === (severity ?? event.severity),
    event.message.toLowerCase().includes((text ?? '').toLowerCase()),
    event.node_id === (nodeId ?? event.node_id),
    event.tunnel_id === (tunnelId ?? event.tunnel_id),
    event.category.startsWith(category ?? ''),
    event.raised_at >= (from ?? 0),
    unacknowledged !== true || event.acknowledged_at === null,
  ].every(Boolean);
}
