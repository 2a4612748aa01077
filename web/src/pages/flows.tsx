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
import { tunnelLooks } from '../words/status.ts';
import { FlowErrors, FlowHealth, FlowPast, FlowRate } from './flow-now.tsx';

const columns: readonly Column<FlowRow>[] = [
  {
    key: 'name',
    title: 'Name',
    width: 2.2,
    cell: (flow) => (
      <span class="name-text">
        <a href={`/flows/${encodeURIComponent(flow.id)}`}>
          <bdi>{flow.name}</bdi>
        </a>
        {flow.push_error !== null && (
          <small class="error-text" title={flow.push_error}>
            <bdi>{flow.push_error}</bdi>
          </small>
        )}
      </span>
    ),
  },
  {
    key: 'node',
    title: 'Node',
    width: 1.8,
    hide: 3,
    cell: (flow) => <NodeName id={flow.node_id} name={flow.node_name} />,
  },
  { key: 'push', title: 'Config', width: 1.5, hide: 3, cell: (flow) => <Badge look={tunnelLooks[flow.status]} /> },
  { key: 'health', title: 'Health', width: 2.6, cell: (flow) => <FlowHealth id={flow.id} /> },
  { key: 'rate', title: 'Bit rate', width: 1.7, align: 'right', cell: (flow) => <FlowRate id={flow.id} /> },
  {
    key: 'errors',
    title: 'Continuity errors',
    width: 2.05,
    align: 'right',
    hide: 2,
    cell: (flow) => <FlowErrors id={flow.id} />,
  },
  { key: 'past', title: 'Last minutes', width: 2, hide: 1, cell: (flow) => <FlowPast id={flow.id} /> },
];

export function FlowsPage() {
  const rows = useRows<FlowRow>('flows', filterFromAddress('q', 'node'), { topic: 'flows' });
  return (
    <>
      <PageHead
        title="Flows"
        lead="Media flows that the manager keeps on edges, with what each edge reports of them now."
      >
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
        empty={<NoFlows />}
      />
    </>
  );
}

function NoFlows() {
  return (
    <Empty title="No flow here.">
      {may('operator') ? (
        <>
          <a href="/flows/new">Make a flow</a>: an input of an edge, copied to its outputs. Or clear the filter.
        </>
      ) : (
        'Clear the filter, or ask an operator to make one.'
      )}
    </Empty>
  );
}
