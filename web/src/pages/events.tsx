import { useSignal } from '@preact/signals';
import { query, send } from '../data/api.ts';
import { attempt } from '../data/notices.ts';
import { route, setQuery } from '../data/route.ts';
import { useRows, type Filter, type Rows } from '../data/rows.ts';
import { may } from '../data/session.ts';
import type { EventRow } from '../data/shapes.ts';
import { Badge } from '../parts/badge.tsx';
import { Button } from '../parts/button.tsx';
import { Empty } from '../parts/card.tsx';
import { JsonView } from '../parts/code.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Chips, FilterBar, filterFromAddress, SearchBox } from '../parts/filter-bar.tsx';
import { Icon } from '../parts/icon.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';
import { plural } from '../words/format.ts';
import { severityLooks } from '../words/status.ts';
import { EventPlaces } from './event-line.tsx';
import { groupRepeats, type EventGroup } from './event-groups.ts';

const filterNames = ['q', 'severity', 'category', 'node', 'tunnel', 'flow', 'unacknowledged'] as const;

export function EventsPage() {
  const filter = filterFromAddress(...filterNames);
  const paused = useSignal(false);
  const opened = useSignal<EventRow | null>(null);
  const rows = useRows<EventRow>('events', filter, {
    ...(!paused.value && { topic: 'events' }),
    prepend: (row) => matches(row as EventRow, filter),
  });
  const groups = grouped(rows);
  const acknowledge = async () => {
    const ids = rows.items.value.filter((event) => event.acknowledged_at === null).map(({ id }) => id);
    await attempt(() => acknowledgeAll(ids), `Acknowledged: ${plural(ids.length, 'event')}.`);
    rows.refresh();
  };
  return (
    <>
      <PageHead
        title="Events"
        lead={paused.value ? 'Paused: new events are not shown.' : 'Newest first, as they come.'}
      >
        <Button
          icon={paused.value ? 'play' : 'pause'}
          pressed={paused.value}
          onPress={() => (paused.value = !paused.value)}
        >
          {paused.value ? 'Go on' : 'Pause'}
        </Button>
        {may('operator') && (
          <Button icon="check" onPress={acknowledge}>
            Acknowledge all shown
          </Button>
        )}
        <a class="button button-plain" href={`/api/v1/events/export.ndjson${query(filter)}`} download="events.ndjson">
          <Icon name="download" />
          <span>Export</span>
        </a>
      </PageHead>
      <EventFilters />
      <Table
        label="Events"
        columns={columnsWith((event) => (opened.value = event))}
        rows={groups}
        rowHeight={54}
        rowClass={(group) =>
          group.event.severity === 'critical' && group.event.acknowledged_at === null ? 'row-bad' : ''
        }
        empty={<Empty title="No event here.">Clear the filter to see others.</Empty>}
      />
      {opened.value !== null && (
        <EventDialog event={opened.value} close={() => (opened.value = null)} refresh={rows.refresh} />
      )}
    </>
  );
}

/** The manager takes no more in one request. */
const mostAtOnce = 1_000;

async function acknowledgeAll(ids: readonly string[]): Promise<void> {
  for (let from = 0; from < ids.length; from += mostAtOnce) {
    await send('POST', 'events/ack', { body: { ids: ids.slice(from, from + mostAtOnce) } });
  }
}

/** Rows of the table: repeats of one message by one node are one row with a count. */
function grouped(rows: Rows<EventRow>): Rows<EventGroup> {
  const items = groupRepeats(rows.items.value);
  return { ...rows, items: { value: items } };
}

function matches(event: EventRow, filter: Filter): boolean {
  const { q, severity, category, node, tunnel, flow } = filter;
  if (severity != null && event.severity !== severity) return false;
  if (node != null && event.node_id !== node) return false;
  if (tunnel != null && event.tunnel_id !== tunnel) return false;
  if (flow != null && event.flow_id !== flow) return false;
  if (typeof category === 'string' && !event.category.startsWith(category)) return false;
  return typeof q !== 'string' || event.message.toLowerCase().includes(q.toLowerCase());
}

function EventFilters() {
  const narrowed = ['node', 'tunnel', 'flow'].filter((name) => route.value.query.has(name));
  return (
    <FilterBar>
      <SearchBox label="Search in messages" />
      <Chips
        label="Severity"
        name="severity"
        choices={Object.entries(severityLooks).map(([value, { word }]) => ({ value, word }))}
      />
      <Chips
        label="Category"
        name="category"
        choices={[
          { value: 'connection', word: 'Connections' },
          { value: 'config_sync', word: 'Config sync' },
          { value: 'tunnel', word: 'Tunnels' },
          { value: 'manager', word: 'Manager' },
        ]}
      />
      <Chips label="Acknowledged" name="unacknowledged" choices={[{ value: '1', word: 'Not acknowledged' }]} />
      {narrowed.map((name) => (
        <Button key={name} small icon="cross" onPress={() => setQuery({ [name]: null })}>
          {`Only this ${name}`}
        </Button>
      ))}
    </FilterBar>
  );
}

function columnsWith(open: (event: EventRow) => void): readonly Column<EventGroup>[] {
  return [
    {
      key: 'severity',
      title: 'Severity',
      width: 1.1,
      compact: true,
      cell: ({ event }) => <Badge look={severityLooks[event.severity]} />,
    },
    {
      key: 'message',
      title: 'Message',
      width: 5,
      cell: ({ event, repeats }) => (
        <span class="name-text">
          <button type="button" class="link-button" onClick={() => open(event)}>
            <bdi>{event.message}</bdi>
            {repeats > 1 && <span class="repeats">× {repeats}</span>}
          </button>
          <EventPlaces event={event} />
        </span>
      ),
    },
    { key: 'when', title: 'Raised', width: 1.1, hide: 3, cell: ({ event }) => <When at={event.raised_at} /> },
    {
      key: 'ack',
      title: 'Acknowledged',
      width: 1.3,
      hide: 1,
      cell: ({ event }) => <span class="clip">{event.acknowledged_by ?? '—'}</span>,
    },
  ];
}

interface EventDialogProps {
  readonly event: EventRow;
  close(): void;
  refresh(): void;
}

function EventDialog({ event, close, refresh }: EventDialogProps) {
  const acknowledge = async () => {
    await attempt(() => send('POST', `events/${encodeURIComponent(event.id)}/ack`, { body: {} }), 'Acknowledged.');
    refresh();
    close();
  };
  return (
    <Dialog title={event.message} onClose={close} wide>
      <p class="lead-row">
        <Badge look={severityLooks[event.severity]} />
        <When at={event.raised_at} />
        <EventPlaces event={event} />
      </p>
      {event.details !== null && <JsonView label="Details" value={event.details} />}
      <div class="dialog-actions">
        <Button onPress={close}>Close</Button>
        {may('operator') && event.acknowledged_at === null && (
          <Button kind="primary" onPress={acknowledge}>
            Acknowledge
          </Button>
        )}
      </div>
    </Dialog>
  );
}
