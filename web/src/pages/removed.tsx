import { send } from '../data/api.ts';
import { attempt } from '../data/notices.ts';
import { useRows, type Rows } from '../data/rows.ts';
import { may } from '../data/session.ts';
import type { FlowRow, TunnelRow } from '../data/shapes.ts';
import { Button } from '../parts/button.tsx';
import { Empty } from '../parts/card.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';

interface RemovedRow {
  readonly id: string;
  readonly kind: 'tunnels' | 'flows';
  readonly name: string;
  readonly removed_at: number | null;
  readonly removed_by: 'operator' | 'ghost' | null;
}

const removers = {
  operator: 'an operator',
  ghost: 'the manager: its push failed for minutes while the node was online',
} as const;

const keptMs = 30 * 86_400_000;

export function RemovedPage() {
  // Whole, since pages come by name and the newest are wanted first.
  const tunnels = useRows<TunnelRow>('tunnels', { removed: '1' }, { whole: true });
  const flows = useRows<FlowRow>('flows', { removed: '1' }, { whole: true });
  const restore = async (row: RemovedRow) => {
    await attempt(
      () => send('POST', `${row.kind}/${encodeURIComponent(row.id)}/restore`, { body: {} }),
      `${row.name} is restored.`,
    );
    tunnels.refresh();
    flows.refresh();
  };
  return (
    <>
      <PageHead
        title="Recently removed"
        lead="Kept for 30 days. Restore brings a tunnel or flow back with a new generation."
      />
      <Table
        label="Recently removed"
        columns={columnsWith(restore)}
        rows={together(tunnels, flows)}
        rowHeight={54}
        empty={
          <Empty title="Nothing was removed in the last 30 days.">
            A tunnel or flow that you remove stands here, so that you can bring it back.
          </Empty>
        }
      />
    </>
  );
}

/** Both lists as one, newest first. */
function together(tunnels: Rows<TunnelRow>, flows: Rows<FlowRow>): Rows<RemovedRow> {
  const items: RemovedRow[] = [
    ...tunnels.items.value.map((row) => ({ ...row, kind: 'tunnels' as const })),
    ...flows.items.value.map((row) => ({ ...row, kind: 'flows' as const })),
  ];
  return {
    items: { value: items.sort((one, other) => (other.removed_at ?? 0) - (one.removed_at ?? 0)) },
    complete: { value: tunnels.complete.value && flows.complete.value },
    loading: { value: tunnels.loading.value || flows.loading.value },
    error: { value: tunnels.error.value ?? flows.error.value },
    refresh() {
      tunnels.refresh();
      flows.refresh();
    },
    more() {
      tunnels.more();
      flows.more();
    },
  };
}

function columnsWith(restore: (row: RemovedRow) => Promise<void>): readonly Column<RemovedRow>[] {
  return [
    {
      key: 'name',
      title: 'Name',
      width: 2,
      cell: (row) => (
        <span class="name-text">
          <a href={`/${row.kind}/${encodeURIComponent(row.id)}`}>
            <bdi>{row.name}</bdi>
          </a>
          <small class="muted">{row.kind === 'tunnels' ? 'tunnel' : 'flow'}</small>
        </span>
      ),
    },
    { key: 'when', title: 'Removed', width: 1, cell: (row) => <When at={row.removed_at} /> },
    {
      key: 'by',
      title: 'By',
      width: 2,
      hide: 2,
      cell: (row) => <span class="clip">{row.removed_by === null ? '—' : removers[row.removed_by]}</span>,
    },
    {
      key: 'until',
      title: 'Restore until',
      width: 1,
      hide: 1,
      cell: (row) => <When at={row.removed_at === null ? null : row.removed_at + keptMs} />,
    },
    {
      key: 'act',
      title: 'Action',
      width: 1,
      align: 'right',
      cell: (row) =>
        may('operator') && (
          <Button small icon="undo" onPress={() => restore(row)}>
            Restore
          </Button>
        ),
    },
  ];
}
