import type { EventRow, Overview } from '../data/shapes.ts';
import { totals } from '../data/totals.ts';
import { useRows } from '../data/rows.ts';
import { nowMs } from '../data/time.ts';
import { useSignal } from '@preact/signals';
import { Card, Empty } from '../parts/card.tsx';
import { LinkButton } from '../parts/button.tsx';
import { may } from '../data/session.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { Listing } from '../parts/listing.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { count, plural } from '../words/format.ts';
import { nodeLooks, pushLooks, type Look, type Tone } from '../words/status.ts';
import { EventLine } from './event-line.tsx';

export function OverviewPage() {
  const fleet = totals.value;
  return (
    <>
      <PageHead title="Overview" lead={fleet === null ? 'Reading the fleet…' : summary(fleet)}>
        <NextStep isEmpty={fleet !== null && hasNoNode(fleet)} />
      </PageHead>
      {fleet !== null && <Figures fleet={fleet} />}
      <LastHour />
    </>
  );
}

function hasNoNode({ nodes }: Pick<Overview, 'nodes'>): boolean {
  return Object.values(nodes).every((value) => value === 0);
}

/** The first thing to do here: at the start there are no nodes for a tunnel. */
function NextStep({ isEmpty }: { isEmpty: boolean }) {
  if (isEmpty && may('admin')) {
    return (
      <LinkButton href="/nodes/new" icon="plus" kind="primary">
        Add node
      </LinkButton>
    );
  }
  return may('operator') ? (
    <LinkButton href="/tunnels/new" icon="plus" kind="primary">
      New tunnel
    </LinkButton>
  ) : null;
}

/** What an operator wants to know first, as one sentence. */
function summary({ nodes, legs, drift_open: drift, critical_unacknowledged: critical }: Overview): string {
  const troubles = [
    nodes.offline > 0 ? `${count(nodes.offline)} offline` : null,
    legs.failed > 0 ? plural(legs.failed, 'failed push', 'failed pushes') : null,
    drift > 0 ? plural(drift, 'open difference') : null,
    critical > 0 ? plural(critical, 'critical event') : null,
  ].filter((text) => text !== null);
  if (hasNoNode({ nodes })) return 'No node yet. Add a relay and two edges to begin.';
  return troubles.length === 0 ? 'Everything runs as it should.' : `Needs attention: ${troubles.join(', ')}.`;
}

function Figures({ fleet }: { fleet: Overview }) {
  const { nodes, legs } = fleet;
  return (
    <div class="figures">
      <Card title="Nodes" aside={<a href="/nodes">All nodes</a>}>
        <Shares
          label="Nodes by state"
          parts={[
            { look: nodeLooks.online, value: nodes.online, href: '/nodes?state=online' },
            { look: nodeLooks.reconnecting, value: nodes.reconnecting, href: '/nodes?state=reconnecting' },
            { look: nodeLooks.offline, value: nodes.offline, href: '/nodes?state=offline' },
            { look: nodeLooks.never, value: nodes.never, href: '/nodes?state=never' },
            { look: nodeLooks.disabled, value: nodes.disabled, href: '/nodes?state=disabled' },
          ]}
        />
      </Card>
      <Card title="Pushed configuration" aside={<a href="/tunnels">All tunnels</a>}>
        <Shares
          label="Legs by push state"
          parts={[
            { look: pushLooks.pushed, value: legs.pushed, href: '/tunnels?status=active' },
            { look: pushLooks.pending, value: legs.pending + legs.pushing, href: '/tunnels?status=pending' },
            { look: pushLooks.failed, value: legs.failed, href: '/tunnels?status=failed' },
          ]}
        />
      </Card>
      <div class="tiles">
        <Tile
          href="/drift"
          icon="drift"
          word="Open differences"
          value={fleet.drift_open}
          tone={fleet.drift_open > 0 ? 'warn' : 'ok'}
        />
        <Tile
          href="/events?severity=critical&unacknowledged=1"
          icon="critical"
          word="Critical, not acknowledged"
          value={fleet.critical_unacknowledged}
          tone={fleet.critical_unacknowledged > 0 ? 'bad' : 'ok'}
        />
        <Tile
          href="/tunnels?status=failed"
          icon="cross"
          word="Failed pushes"
          value={legs.failed}
          tone={legs.failed > 0 ? 'bad' : 'ok'}
        />
        <Tile
          href="/events"
          icon="events"
          word="Changes in the last hour"
          value={fleet.changed_last_hour}
          tone="idle"
        />
      </div>
    </div>
  );
}

interface Share {
  readonly look: Look;
  readonly value: number;
  readonly href: string;
}

function Shares({ label, parts }: { label: string; parts: readonly Share[] }) {
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  return (
    <div class="shares">
      <div class="share-bar" role="img" aria-label={`${label}: ${total} in all`}>
        {parts
          .filter(({ value }) => value > 0)
          .map(({ look, value }) => (
            <span key={look.word} class={`tone-${look.tone}`} style={{ flexGrow: String(value) }} />
          ))}
        {total === 0 && <span class="tone-idle" style={{ flexGrow: '1' }} />}
      </div>
      <ul class="share-list">
        {parts.map(({ look, value, href }) => (
          <li key={look.word}>
            <a href={href} class={value === 0 ? 'share share-none' : 'share'}>
              <span class={`share-sign tone-${look.tone}`}>
                <Icon name={look.icon} size={14} />
              </span>
              <span class="share-word">{look.word}</span>
              <b>{count(value)}</b>
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

interface TileProps {
  readonly href: string;
  readonly icon: IconName;
  readonly word: string;
  readonly value: number;
  readonly tone: Tone;
}

function Tile({ href, icon, word, value, tone }: TileProps) {
  return (
    <a class={`tile tone-${tone}`} href={href}>
      <span class="tile-sign">
        <Icon name={icon} />
      </span>
      <b>{count(value)}</b>
      <span>{word}</span>
    </a>
  );
}

const hourMs = 3_600_000;
const linesShown = 12;

function LastHour() {
  const from = useSignal(nowMs() - hourMs);
  const rows = useRows<EventRow>('events', { from: from.value }, { topic: 'events', prepend: () => true });
  const lines = rows.items.value.slice(0, linesShown);
  return (
    <Card title="In the last hour" aside={<a href="/events">All events</a>}>
      <Listing rows={rows} empty={<Empty title="Quiet: nothing changed in the last hour." />}>
        <ul class="event-lines">
          {lines.map((event) => (
            <EventLine key={event.id} event={event} />
          ))}
        </ul>
      </Listing>
    </Card>
  );
}
