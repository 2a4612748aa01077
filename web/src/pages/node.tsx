import type { EventRow, LegRow, NodeDetail } from '../data/shapes.ts';
import { useResource, type Resource } from '../data/resource.ts';
import { nowMs } from '../data/time.ts';
import { useSignal } from '@preact/signals';
import type { Page } from '../data/shapes.ts';
import { query } from '../data/api.ts';
import { Badge } from '../parts/badge.tsx';
import { Card, Empty, Facts, Note } from '../parts/card.tsx';
import { LinkBar } from '../parts/link-bar.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { When } from '../parts/when.tsx';
import { plural } from '../words/format.ts';
import { nodeLooks } from '../words/status.ts';
import { AgentsCard } from './agents-card.tsx';
import { groupRepeats } from './event-groups.ts';
import { EventLine } from './event-line.tsx';
import { LegTable } from './leg-table.tsx';
import { NodeActions } from './node-actions.tsx';
import { NodeConfig } from './node-config.tsx';
import { NodeSecrets } from './node-secrets.tsx';
import { NodeStatsCards } from './node-stats.tsx';

const dayMs = 86_400_000;
const eventsShown = 15;

export function NodePage({ id }: { id: string }) {
  const path = `nodes/${encodeURIComponent(id)}`;
  const node = useResource<NodeDetail>(path, { topic: 'nodes', everyMs: 10_000 });
  const current = node.value.value;
  if (current === null) {
    return (
      <>
        <PageHead title="Node" parent={{ href: '/nodes', label: 'Nodes' }} />
        {node.error.value === null ? <p class="muted">Reading…</p> : <Note tone="bad">{node.error.value.message}</Note>}
      </>
    );
  }
  return <NodeView node={current} resource={node} path={path} />;
}

function NodeView({ node, resource, path }: { node: NodeDetail; resource: Resource<NodeDetail>; path: string }) {
  return (
    <>
      <PageHead title={node.name} parent={{ href: '/nodes', label: 'Nodes' }} lead={<NodeLead node={node} />}>
        <NodeActions node={node} refresh={() => resource.refresh()} />
      </PageHead>
      {node.health_reasons.length > 0 && (
        <Note tone="warn">
          The node says it is {node.health_status ?? 'degraded'}: {node.health_reasons.join(', ')}.
        </Note>
      )}
      {node.drift_open > 0 && (
        <Note tone="warn">
          What this node runs differs from what the manager wants.{' '}
          <a href={`/drift?node=${encodeURIComponent(node.id)}`}>See the {node.drift_open} differences</a>.
        </Note>
      )}
      <LinkCard node={node} />
      {node.kind === 'observer' ? (
        <AgentsCard path={path} />
      ) : (
        <>
          <NodeStatsCards node={node} path={path} />
          <LegsCard node={node} path={path} />
        </>
      )}
      <div class="columns">
        <FactsCard node={node} />
        <NodeSecrets node={node} path={path} refresh={() => resource.refresh()} />
      </div>
      <NodeConfig node={node} path={path} />
      <NodeEvents id={node.id} />
    </>
  );
}

function NodeLead({ node }: { node: NodeDetail }) {
  return (
    <span class="lead-row">
      <Badge look={nodeLooks[node.state]} />
      {node.state_since !== null && (
        <span class="muted">
          <When at={node.state_since} />
        </span>
      )}
      <span class="muted">{node.kind}</span>
      {node.region !== null && <span class="muted">{node.region}</span>}
      {node.draining_at !== null && <span class="tag">Draining</span>}
    </span>
  );
}

function LinkCard({ node }: { node: NodeDetail }) {
  const from = useSignal(nowMs() - dayMs);
  const path = `events${query({ node: node.id, category: 'connection', from: from.value, limit: 500 })}`;
  const events = useResource<Page<EventRow>>(path, { topic: 'events' });
  return (
    <Card title="Link to the manager, last 24 h">
      <LinkBar events={events.value.value?.items ?? []} state={node.state} createdAt={node.created_at} />
    </Card>
  );
}

function LegsCard({ node, path }: { node: NodeDetail; path: string }) {
  const legs = useResource<Page<LegRow>>(`${path}/legs?limit=500`, { topic: 'legs', everyMs: 5_000 });
  const page = legs.value.value;
  return (
    <Card
      title="What this node must hold"
      aside={page === null ? null : <span class="muted">{plural(page.items.length, 'leg')}</span>}
    >
      {page?.items.length === 0 ? (
        <Empty title="Nothing is assigned to this node yet.">
          {node.kind === 'relay' ? (
            <>
              Tunnels through it come here: <a href="/tunnels/new">make a tunnel</a>.
            </>
          ) : (
            <>
              <a href="/tunnels/new">Make a tunnel</a> or <a href="/flows/new">a flow</a> with this node.
            </>
          )}
        </Empty>
      ) : (
        <LegTable legs={page?.items ?? []} />
      )}
    </Card>
  );
}

function FactsCard({ node }: { node: NodeDetail }) {
  return (
    <Card title="Facts">
      <Facts
        facts={[
          ['Id', <code key="id">{node.id}</code>],
          ['Address', <code key="a">{node.remote_addr ?? '—'}</code>],
          ['Public address', <code key="p">{node.public_addr ?? '—'}</code>],
          ['Version', node.software_version ?? '—'],
          ['Protocol', node.protocol_version ?? '—'],
          ['Can do', node.capabilities.join(', ') || '—'],
          ['Last seen', <When key="s" at={node.last_seen_at} none="never" />],
          ['Last compared', <When key="c" at={node.last_compared_at} none="never" />],
          ['Flaps in 24 h', node.flaps_24h],
          ['Added', <When key="n" at={node.created_at} />],
          ['Description', <bdi key="d">{node.description || '—'}</bdi>],
        ]}
      />
    </Card>
  );
}

function NodeEvents({ id }: { id: string }) {
  const events = useResource<Page<EventRow>>(`events${query({ node: id, limit: 50 })}`, { topic: 'events' });
  const groups = groupRepeats(events.value.value?.items ?? []).slice(0, eventsShown);
  return (
    <Card title="Events" aside={<a href={`/events?node=${encodeURIComponent(id)}`}>All events of this node</a>}>
      {groups.length === 0 && events.value.value !== null && (
        <Empty title="No event yet.">They are kept for 30 days, unless the settings say otherwise.</Empty>
      )}
      <ul class="event-lines">
        {groups.map(({ id: first, event, repeats }) => (
          <EventLine key={first} event={event} repeats={repeats} />
        ))}
      </ul>
    </Card>
  );
}
