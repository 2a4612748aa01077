import { useSignal } from '@preact/signals';
import { useResource } from '../data/resource.ts';
import { useRows } from '../data/rows.ts';
import type { AuditCheck, AuditRow } from '../data/shapes.ts';
import { Button } from '../parts/button.tsx';
import { Empty, Facts, Note } from '../parts/card.tsx';
import { JsonView } from '../parts/code.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { FilterBar, filterFromAddress, SearchBox } from '../parts/filter-bar.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';
import { exactTime, plural } from '../words/format.ts';

export function AuditPage() {
  const rows = useRows<AuditRow>('audit', filterFromAddress('q'));
  const opened = useSignal<AuditRow | null>(null);
  return (
    <>
      <PageHead title="Audit" lead="Who changed what. Each row is chained to the one before, so a removed row shows." />
      <ChainCheck />
      <FilterBar>
        <SearchBox label="Search by actor, action or target" />
      </FilterBar>
      <Table
        label="Audit"
        columns={columnsWith((row) => (opened.value = row))}
        rows={rows}
        empty={<Empty title="No row here.">Clear the search to see every change.</Empty>}
      />
      {opened.value !== null && <AuditDialog row={opened.value} close={() => (opened.value = null)} />}
    </>
  );
}

function ChainCheck() {
  const check = useResource<AuditCheck>('audit/verify');
  const answer = check.value.value;
  if (answer === null) return null;
  return answer.ok ? (
    <Note tone="ok">The chain is whole: {plural(answer.checked, 'row')} checked.</Note>
  ) : (
    <Note tone="bad">The chain is broken at row {answer.broken_at}: rows were changed or removed in the database.</Note>
  );
}

function columnsWith(open: (row: AuditRow) => void): readonly Column<AuditRow>[] {
  return [
    { key: 'at', title: 'When', width: 1.2, cell: (row) => <When at={row.at} /> },
    {
      key: 'actor',
      title: 'Actor',
      width: 1.5,
      cell: (row) => (
        <span class="name-text">
          <bdi>{row.actor}</bdi>
          <small class="muted">{row.actor_kind}</small>
        </span>
      ),
    },
    {
      key: 'action',
      title: 'Action',
      width: 2,
      cell: (row) => (
        <span class="name-text">
          <button type="button" class="link-button" onClick={() => open(row)}>
            {row.action}
          </button>
          <small class="muted only-narrow-text">
            <bdi>{row.target ?? ''}</bdi>
          </small>
        </span>
      ),
    },
    { key: 'target', title: 'Target', width: 2.5, hide: 2, cell: (row) => <bdi class="clip">{row.target ?? '—'}</bdi> },
    {
      key: 'outcome',
      title: 'Outcome',
      width: 1.2,
      cell: (row) => <span class={row.outcome === 'ok' ? '' : 'error-text'}>{row.outcome}</span>,
    },
    { key: 'ip', title: 'Address', width: 1.3, hide: 1, cell: (row) => <span class="mono clip">{row.ip ?? '—'}</span> },
  ];
}

function AuditDialog({ row, close }: { row: AuditRow; close: () => void }) {
  return (
    <Dialog title={row.action} onClose={close} wide>
      <Facts
        facts={[
          ['When', exactTime(row.at)],
          ['Actor', <bdi key="a">{`${row.actor} (${row.actor_kind})`}</bdi>],
          ['Target', <bdi key="t">{row.target ?? '—'}</bdi>],
          ['Outcome', row.outcome],
          ['Hash', <code key="h">{row.hash}</code>],
        ]}
      />
      <div class="columns">
        <div>
          <h3>Before</h3>
          <JsonView label="Before" value={row.before ?? null} />
        </div>
        <div>
          <h3>After</h3>
          <JsonView label="After" value={row.after ?? null} />
        </div>
      </div>
      <div class="dialog-actions">
        <Button onPress={close}>Close</Button>
      </div>
    </Dialog>
  );
}
