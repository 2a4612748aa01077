import type { TunnelRow } from '../data/shapes.ts';
import { useRows } from '../data/rows.ts';
import { may } from '../data/session.ts';
import { Badge } from '../parts/badge.tsx';
import { LinkButton } from '../parts/button.tsx';
import { Empty } from '../parts/card.tsx';
import { Chips, FilterBar, filterFromAddress, SearchBox } from '../parts/filter-bar.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';
import { overallRunning, pushLooks, runningLooks, tunnelLooks } from '../words/status.ts';

const columns: readonly Column<TunnelRow>[] = [
  {
    key: 'name',
    title: 'Name',
    width: 2.4,
    cell: (tunnel) => (
      <span class="name-text">
        <a href={`/tunnels/${encodeURIComponent(tunnel.id)}`}>
          <bdi>{tunnel.name}</bdi>
        </a>
        <TunnelNote tunnel={tunnel} />
      </span>
    ),
  },
  {
    key: 'path',
    title: 'Path',
    width: 4.6,
    hide: 2,
    cell: (tunnel) => <PathWords tunnel={tunnel} />,
  },
  {
    key: 'status',
    title: 'Config',
    width: 1.3,
    cell: (tunnel) => <Badge look={tunnelLooks[tunnel.status]} note={tunnel.push_error ?? undefined} />,
  },
  {
    key: 'running',
    title: 'Traffic',
    width: 1.4,
    hide: 3,
    cell: (tunnel) => <Badge look={runningLooks[overallRunning(tunnel.running)]} />,
  },
  { key: 'changed', title: 'Changed', width: 1.1, hide: 1, cell: (tunnel) => <When at={tunnel.updated_at} /> },
];

function TunnelNote({ tunnel }: { tunnel: TunnelRow }) {
  if (tunnel.push_error !== null) {
    return (
      <small class="error-text" title={tunnel.push_error}>
        <bdi>{tunnel.push_error}</bdi>
      </small>
    );
  }
  const traffic = runningLooks[overallRunning(tunnel.running)];
  return (
    <small class="muted">
      {tunnel.protocol.toUpperCase()}
      <span class={`only-narrow-text tone-${traffic.tone}`}>
        {' '}
        · <span class="tone-text">{traffic.word}</span>
      </span>
    </small>
  );
}

/** Source › relays › destination with a coloured sign of each leg. */
function PathWords({ tunnel }: { tunnel: TunnelRow }) {
  return (
    <span class="path-words">
      <PathPart name={tunnel.source.node_name} status={tunnel.ingress_push_status} />
      <span class="muted">›</span>
      <PathPart name={relayWords(tunnel)} status={tunnel.relay_push_status} />
      <span class="muted">›</span>
      <PathPart name={tunnel.destination.node_name} status={tunnel.egress_push_status} />
    </span>
  );
}

function relayWords({ relays }: TunnelRow): string {
  const [first] = relays;
  if (first === undefined) return 'no relay';
  return relays.length === 1 ? first.node_name : `${first.node_name} +${relays.length - 1}`;
}

function PathPart({ name, status }: { name: string; status: TunnelRow['relay_push_status'] }) {
  const look = status === null ? null : pushLooks[status];
  return (
    <span class="path-part" title={look === null ? name : `${name}: ${look.word}`}>
      {look !== null && <span class={`leg-dot tone-${look.tone}`} role="img" aria-label={look.word} />}
      <bdi>{name}</bdi>
    </span>
  );
}

export function TunnelsPage() {
  const rows = useRows<TunnelRow>('tunnels', filterFromAddress('q', 'status', 'node'), {
    topic: 'tunnels',
    whole: true,
  });
  return (
    <>
      <PageHead title="Tunnels" lead="Each from a source, through one or two relays, to a destination.">
        {may('operator') && (
          <LinkButton href="/tunnels/new" icon="plus" kind="primary">
            New tunnel
          </LinkButton>
        )}
      </PageHead>
      <FilterBar>
        <SearchBox label="Search by name" />
        <Chips
          label="Config"
          name="status"
          choices={(['active', 'pending', 'failed', 'removing', 'paused'] as const).map((value) => ({
            value,
            word: tunnelLooks[value].word,
          }))}
        />
      </FilterBar>
      <Table
        label="Tunnels"
        columns={columns}
        rows={rows}
        rowHeight={54}
        rowClass={(tunnel) => (tunnel.status === 'failed' ? 'row-bad' : '')}
        empty={<NoTunnels />}
      />
    </>
  );
}

function NoTunnels() {
  return (
    <Empty title="No tunnel here.">
      {may('operator') ? (
        <>
          <a href="/tunnels/new">Make a tunnel</a> between two edges through a relay. Or clear the filter.
        </>
      ) : (
        'Clear the filter, or ask an operator to make one.'
      )}
    </Empty>
  );
}
