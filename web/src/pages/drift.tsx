import { useSignal, type Signal } from '@preact/signals';
import { send } from '../data/api.ts';
import { attempt } from '../data/notices.ts';
import { useRows, type Rows } from '../data/rows.ts';
import { may } from '../data/session.ts';
import type { DriftActionName, DriftRow } from '../data/shapes.ts';
import { Badge } from '../parts/badge.tsx';
import { Button } from '../parts/button.tsx';
import { Empty } from '../parts/card.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Chips, FilterBar, filterFromAddress, SearchBox } from '../parts/filter-bar.tsx';
import { Listing } from '../parts/listing.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { When } from '../parts/when.tsx';
import { plural, valueText } from '../words/format.ts';
import { driftLooks } from '../words/status.ts';

/** The action that the operator is about to take, on one difference or on several equal ones. */
interface Chosen {
  readonly action: DriftActionName;
  readonly rows: readonly DriftRow[];
}

const actionWords: Readonly<Record<DriftActionName, string>> = {
  repush: 'Re-push',
  ingest: 'Accept the node’s',
  delete_node: 'Delete on the node',
  delete_manager: 'Delete here',
  mute: 'Ignore this difference',
};

const actionNames = Object.keys(actionWords) as DriftActionName[];

const actionIcons = {
  repush: 'upload',
  ingest: 'download',
  delete_node: 'trash',
  delete_manager: 'trash',
  mute: 'eyeOff',
} as const;

const shownAtMost = 60;

export function DriftPage() {
  const rows = useRows<DriftRow>('drift', filterFromAddress('q', 'node', 'kind', 'muted'), { topic: 'drift' });
  const chosen = useSignal<Chosen | null>(null);
  const items = rows.items.value;
  return (
    <>
      <PageHead
        title="Drift"
        lead="Where a node runs something else than the manager wants. Nothing is corrected by itself: you decide."
      />
      <FilterBar>
        <SearchBox label="Search by name or node" />
        <Chips
          label="Kind"
          name="kind"
          choices={Object.entries(driftLooks).map(([value, { word }]) => ({ value, word }))}
        />
        <Chips label="Ignored" name="muted" choices={[{ value: '1', word: 'Ignored ones too' }]} />
      </FilterBar>
      <Listing
        rows={rows}
        empty={<Empty title="No difference.">Every compared node runs what the manager wants.</Empty>}
      >
        <div class="drifts">
          {items.slice(0, shownAtMost).map((row) => (
            <Difference key={row.id} row={row} all={items} chosen={chosen} />
          ))}
        </div>
      </Listing>
      {items.length > shownAtMost && (
        <p class="table-foot">The first {shownAtMost} are shown: narrow the filter to see others.</p>
      )}
      {chosen.value !== null && <Preview chosen={chosen.value} rows={rows} close={() => (chosen.value = null)} />}
    </>
  );
}

interface DifferenceProps {
  readonly row: DriftRow;
  readonly all: readonly DriftRow[];
  readonly chosen: Signal<Chosen | null>;
}

function Difference({ row, all, chosen }: DifferenceProps) {
  const equal = all.filter((other) => other.kind === row.kind && sameFields(other, row));
  return (
    <article class="card drift" aria-label={`${row.name} on ${row.node_name}`} data-drift={row.id}>
      <header class="drift-head">
        <Badge look={driftLooks[row.kind]} />
        <h2>
          <bdi>{row.name}</bdi>
        </h2>
        <span class="muted">
          {row.resource} on{' '}
          <a href={`/nodes/${encodeURIComponent(row.node_id)}`}>
            <bdi>{row.node_name}</bdi>
          </a>
        </span>
        {row.muted && <span class="tag">Ignored</span>}
        <span class="grow" />
        <span class="muted drift-times">
          first seen <When at={row.first_seen_at} /> · compared <When at={row.last_compared_at ?? row.last_seen_at} />
        </span>
      </header>
      <Fields row={row} />
      {may('operator') && (
        <ul class="drift-actions">
          {actionNames
            .filter((action) => row.actions[action] !== undefined)
            .map((action) => (
              <li key={action}>
                <Button
                  small
                  icon={actionIcons[action]}
                  kind={action.startsWith('delete') ? 'danger' : 'plain'}
                  onPress={() => (chosen.value = { action, rows: [row] })}
                >
                  {actionWords[action]}
                </Button>
                <small>
                  <bdi>{row.actions[action]}</bdi>
                </small>
                {equal.length > 1 && (
                  <Button small kind="quiet" onPress={() => (chosen.value = { action, rows: equal })}>
                    {`for all ${equal.length} equal`}
                  </Button>
                )}
              </li>
            ))}
        </ul>
      )}
    </article>
  );
}

function sameFields(one: DriftRow, other: DriftRow): boolean {
  const key = ({ fields }: DriftRow) => JSON.stringify(fields);
  return one.fields.length > 0 && key(one) === key(other);
}

function Fields({ row }: { row: DriftRow }) {
  return (
    <>
      {row.kind === 'missing' && <p class="drift-whole">The manager wants it. The node does not have it.</p>}
      {row.kind === 'extraneous' && <p class="drift-whole">The node has it. The manager does not know it.</p>}
      {row.fields.length > 0 && <FieldTable row={row} />}
    </>
  );
}

/** Of what only the node has, there is one side. */
function FieldTable({ row: { kind, fields } }: { row: DriftRow }) {
  const hasWanted = kind !== 'extraneous';
  return (
    <div class="drift-fields" tabIndex={0} role="region" aria-label={hasWanted ? 'Differing fields' : 'Fields'}>
      <table>
        <thead>
          <tr>
            <th scope="col">Field</th>
            {hasWanted && <th scope="col">Manager wants</th>}
            <th scope="col">Node has</th>
          </tr>
        </thead>
        <tbody>
          {fields.map(({ path, desired, actual }) => (
            <tr key={path}>
              <th scope="row" class="mono">
                {path}
              </th>
              {hasWanted && (
                <td class="mono side-wanted">
                  <bdi>{valueText(desired)}</bdi>
                </td>
              )}
              <td class="mono side-actual">
                <bdi>{valueText(actual)}</bdi>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What will happen, before it happens. */
function Preview({ chosen, rows, close }: { chosen: Chosen; rows: Rows<DriftRow>; close: () => void }) {
  const { action, rows: differences } = chosen;
  const word = actionWords[action];
  const act = async () => {
    const done = `${word}: ${plural(differences.length, 'difference')}.`;
    const work = () => Promise.all(differences.map((row) => resolve(row, action)));
    await attempt(work, done);
    rows.refresh();
    close();
  };
  return (
    <Dialog title={word} onClose={close} wide>
      <div class="dialog-body">
        <ul class="preview">
          {differences.slice(0, 10).map((row) => (
            <li key={row.id}>
              <b>
                <bdi>{row.name}</bdi>
              </b>{' '}
              on <bdi>{row.node_name}</bdi>: <bdi>{row.actions[action]}</bdi>
              <Fields row={row} />
            </li>
          ))}
        </ul>
        {differences.length > 10 && <p class="muted">… and {differences.length - 10} more.</p>}
      </div>
      <div class="dialog-actions">
        <Button onPress={close}>Cancel</Button>
        <Button kind={action.startsWith('delete') ? 'danger' : 'primary'} onPress={act}>
          {word}
        </Button>
      </div>
    </Dialog>
  );
}

function resolve(row: DriftRow, action: DriftActionName): Promise<unknown> {
  const path = `drift/${encodeURIComponent(row.id)}`;
  if (action === 'delete_node') return send('POST', `${path}/delete`, { body: { from: 'node' } });
  if (action === 'delete_manager') return send('POST', `${path}/delete`, { body: { from: 'manager' } });
  return send('POST', `${path}/${action}`, { body: {} });
}
