import type { NodeRow } from '../data/shapes.ts';
import { useRows } from '../data/rows.ts';
import { may } from '../data/session.ts';
import { Badge, CountBadge } from '../parts/badge.tsx';
import { LinkButton } from '../parts/button.tsx';
import { Empty } from '../parts/card.tsx';
import { Chips, FilterBar, filterFromAddress, SearchBox } from '../parts/filter-bar.tsx';
import { NodeName } from '../parts/node-name.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';
import { nodeLooks, pushLooks } from '../words/status.ts';

const columns: readonly Column<NodeRow>[] = [
  {
    key: 'name',
    title: 'Name',
    width: 2.6,
    cell: (node) => <NodeName id={node.id} name={node.name} kind={node.kind} note={kindNote(node)} />,
  },
  {
    key: 'state',
    title: 'State',
    width: 1.7,
    cell: (node) => (
      <span class="stack">
        <Badge look={nodeLooks[node.state]} />
      </span>
    ),
  },
  { key: 'since', title: 'Since', width: 1.3, hide: 2, cell: (node) => <When at={node.state_since} /> },
  {
    key: 'legs',
    title: 'Legs',
    width: 1.8,
    hide: 2,
    cell: (node) => (
      <span class="counts">
        <CountBadge value={node.legs.pushed} look={pushLooks.pushed} />
        <CountBadge value={node.legs.pending + node.legs.pushing} look={pushLooks.pending} />
        <CountBadge value={node.legs.failed} look={pushLooks.failed} />
      </span>
    ),
  },
  {
    key: 'drift',
    title: 'Drift',
    width: 0.8,
    hide: 3,
    align: 'right',
    cell: (node) =>
      node.drift_open === 0 ? (
        <span class="muted">0</span>
      ) : (
        <a class="number-alarm" href={`/drift?node=${encodeURIComponent(node.id)}`}>
          {node.drift_open}
        </a>
      ),
  },
  { key: 'flaps', title: 'Flaps, 24 h', width: 1.3, align: 'right', hide: 1, cell: (node) => node.flaps_24h },
  {
    key: 'address',
    title: 'Address',
    width: 2,
    hide: 1,
    cell: (node) => <span class="mono clip">{node.remote_addr ?? '—'}</span>,
  },
  {
    key: 'version',
    title: 'Version',
    width: 1,
    hide: 1,
    cell: (node) => <span class="clip">{node.software_version ?? '—'}</span>,
  },
];

function kindNote({ kind, region }: NodeRow): string {
  return region === null ? kind : `${kind} · ${region}`;
}

export function NodesPage() {
  const rows = useRows<NodeRow>('nodes', filterFromAddress('q', 'state', 'kind'), { topic: 'nodes', whole: true });
  return (
    <>
      <PageHead
        title="Nodes"
        lead="Relays, edges and observers, with what the manager wants of each and whether it is there."
      >
        {may('admin') && (
          <LinkButton href="/nodes/new" icon="plus" kind="primary">
            Add node
          </LinkButton>
        )}
      </PageHead>
      <FilterBar>
        <SearchBox label="Search by name, address, version" />
        <Chips
          label="State"
          name="state"
          choices={Object.entries(nodeLooks).map(([value, { word }]) => ({ value, word }))}
        />
        <Chips
          label="Kind"
          name="kind"
          choices={[
            { value: 'relay', word: 'Relays' },
            { value: 'edge', word: 'Edges' },
            { value: 'observer', word: 'Observers' },
          ]}
        />
      </FilterBar>
      <Table label="Nodes" columns={columns} rows={rows} rowHeight={54} empty={<NoNodes />} />
    </>
  );
}

function NoNodes() {
  return (
    <Empty title="No node here.">
      {may('admin') ? (
        <>
          <a href="/nodes/new">Add a node</a>, or clear the filter.
        </>
      ) : (
        'Clear the filter, or ask an administrator to add one.'
      )}
    </Empty>
  );
}
