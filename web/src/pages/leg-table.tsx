import type { LegRow } from '../data/shapes.ts';
import { Badge } from '../parts/badge.tsx';
import { SimpleTable, type Column } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';
import { legRoles, pushLooks } from '../words/status.ts';

const columns: readonly Column<LegRow>[] = [
  {
    key: 'name',
    title: 'For',
    width: 2.4,
    cell: (leg) => (
      <span class="name-text">
        <a href={leg.tunnel_id === null ? `/flows/${leg.flow_id ?? ''}` : `/tunnels/${leg.tunnel_id}`}>
          <bdi>{leg.name}</bdi>
        </a>
        {leg.push_error !== null && (
          <small class="error-text">
            <bdi>{leg.push_error}</bdi>
          </small>
        )}
      </span>
    ),
  },
  { key: 'role', title: 'Role', width: 1, hide: 2, cell: (leg) => legRoles[leg.role] },
  {
    key: 'push',
    title: 'Config',
    width: 1.2,
    cell: (leg) => (
      <span class="stack">
        <Badge look={pushLooks[leg.push_status]} note={leg.push_error ?? undefined} />
        {leg.want === 'absent' && <small class="muted">to be removed</small>}
      </span>
    ),
  },
  { key: 'attempts', title: 'Attempts', width: 0.8, align: 'right', hide: 1, cell: (leg) => leg.attempts },
  { key: 'changed', title: 'Changed', width: 1, hide: 2, cell: (leg) => <When at={leg.updated_at} /> },
];

export function LegTable({ legs }: { legs: readonly LegRow[] }) {
  return <SimpleTable label="Legs" columns={columns} items={legs} />;
}
