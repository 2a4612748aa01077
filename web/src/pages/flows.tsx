import type { FlowRow } from '../data/shapes.ts';
import { useRows } from '../data/rows.ts';
import { may } from '../data/session.ts';
import { Badge } from '../parts/badge.tsx';
import { LinkButton } from '../parts/button.tsx';
import { Empty } from '../parts/card.tsx';
import { FilterBar, filterFromAddress, SearchBox } from '../parts/filter-bar.tsx';
import { NodeName } from '../parts/node-name.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';
import { tunnelLooks } from '../words/status.ts';

const columns: readonly Column<FlowRow>[] = [
  {
    key: 'name',
    title: 'Name',
    width: 2.5,
    cell: (flow) => (
      <span class="name-text">
        <a href={`/flows/${encodeURIComponent(flow.id)}`}>
          <bdi>{flow.name}</bdi>
        </a>
        {flow.push_error !== null && (
          <small class="error-text">
            <bdi>{flow.push_error}</bdi>
          </small>
        )}
      </span>
    ),
  },
  { key: 'node', title: 'Node', width: 2, cell: (flow) => <NodeName id={flow.node_id} name={flow.node_name} /> },
  { key: 'push', title: 'Config', width: 1.3, cell: (flow) => <Badge look={tunnelLooks[flow.status]} /> },
  { key: 'changed', title: 'Changed', width: 1.1, hide: 2, cell: (flow) => <When at={flow.updated_at} /> },
];

export function FlowsPage() {
  const rows = useRows<FlowRow>('flows', filterFromAddress('q', 'node'), { topic: 'flows' });
  return (
    <>
      <PageHead title="Flows" lead="Media flows that the manager keeps on edges.">
        {may('operator') && (
          <LinkButton href="/flows/new" icon="plus" kind="primary">
            New flow
          </LinkButton>
        )}
      </PageHead>
      <FilterBar>
        <SearchBox label="Search by name" />
      </FilterBar>
      <Table
        label="Flows"
        columns={columns}
        rows={rows}
        rowHeight={54}
        rowClass={(flow) => (flow.push_status === 'failed' ? 'row-bad' : '')}
        empty={<Empty title="No flow here.">Make one, or clear the filter.</Empty>}
      />
    </>
  );
}
