import { useRows } from '../data/rows.ts';
import type { InstanceRow } from '../data/shapes.ts';
import { Badge } from '../parts/badge.tsx';
import { Card } from '../parts/card.tsx';
import { Listing } from '../parts/listing.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { SimpleTable, type Column } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';
import { count, duration } from '../words/format.ts';

const columns: readonly Column<InstanceRow>[] = [
  {
    key: 'name',
    title: 'Instance',
    width: 2,
    cell: (instance) => (
      <span class="name-text">
        <bdi>{instance.name}</bdi>
        <small class="muted">{instance.self ? 'this page comes from it' : (instance.url ?? '')}</small>
      </span>
    ),
  },
  {
    key: 'state',
    title: 'State',
    width: 1.2,
    cell: ({ alive }) => (
      <Badge
        look={alive ? { tone: 'ok', icon: 'check', word: 'Alive' } : { tone: 'bad', icon: 'cross', word: 'Lease lost' }}
      />
    ),
  },
  { key: 'nodes', title: 'Nodes', width: 0.8, align: 'right', cell: (instance) => count(instance.nodes) },
  {
    key: 'beat',
    title: 'Last sign of life',
    width: 1.2,
    hide: 2,
    cell: (instance) => `${duration(instance.lease_age_ms)} ago`,
  },
  { key: 'start', title: 'Started', width: 1.2, hide: 2, cell: (instance) => <When at={instance.started_at} /> },
  { key: 'version', title: 'Version', width: 1, hide: 1, cell: (instance) => instance.version },
];

export function InstancesPage() {
  const rows = useRows<InstanceRow>('instances', {}, { everyMs: 5_000 });
  return (
    <>
      <PageHead
        title="Instances"
        lead="Programs that share this database. Each owns the nodes that are connected to it."
      />
      <Listing rows={rows} empty={null}>
        <Card>
          <SimpleTable label="Instances" columns={columns} items={rows.items.value} />
        </Card>
      </Listing>
    </>
  );
}
