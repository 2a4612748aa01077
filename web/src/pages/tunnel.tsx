import type { HistoryEntry, Page, TunnelDetail, Why } from '../data/shapes.ts';
import { useResource } from '../data/resource.ts';
import { Badge } from '../parts/badge.tsx';
import { Card, Empty, Facts, Note } from '../parts/card.tsx';
import { Icon } from '../parts/icon.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { PathPicture } from '../parts/path-picture.tsx';
import { When } from '../parts/when.tsx';
import { overallRunning, runningLooks, severityLooks, tunnelLooks } from '../words/status.ts';
import { TunnelActions } from './tunnel-actions.tsx';

export function TunnelPage({ id }: { id: string }) {
  const path = `tunnels/${encodeURIComponent(id)}`;
  const resource = useResource<TunnelDetail>(path, { topic: 'legs', everyMs: 2_000 });
  const tunnel = resource.value.value;
  if (tunnel === null) {
    const error = resource.error.value;
    return (
      <>
        <PageHead title="Tunnel" parent={{ href: '/tunnels', label: 'Tunnels' }} />
        {error === null ? <p class="muted">Reading…</p> : <Note tone="bad">{error.message}</Note>}
      </>
    );
  }
  return (
    <>
      <PageHead title={tunnel.name} parent={{ href: '/tunnels', label: 'Tunnels' }} lead={<Lead tunnel={tunnel} />}>
        <TunnelActions tunnel={tunnel} path={path} refresh={() => resource.refresh()} />
      </PageHead>
      {tunnel.keys_unknown_at !== null && (
        <Note tone="warn">
          The manager does not know this tunnel&apos;s keys, so it pushes nothing to its relays. It runs on as it is.
          Regenerate the keys to take it over.
        </Note>
      )}
      <WhyCard path={path} />
      <Card title="Path">
        <PathPicture tunnel={tunnel} />
        {tunnel.placement_reason !== null && (
          <p class="muted path-reason">
            Relays were chosen automatically: <bdi>{tunnel.placement_reason}</bdi>
          </p>
        )}
      </Card>
      <div class="columns">
        <FactsCard tunnel={tunnel} />
        <HistoryCard path={path} />
      </div>
    </>
  );
}

function Lead({ tunnel }: { tunnel: TunnelDetail }) {
  return (
    <span class="lead-row">
      <span class="lead-pair">
        <span class="muted">Config</span> <Badge look={tunnelLooks[tunnel.status]} />
      </span>
      <span class="lead-pair">
        <span class="muted">Traffic</span> <Badge look={runningLooks[overallRunning(tunnel.running)]} />
      </span>
      <span class="muted">{tunnel.protocol.toUpperCase()}</span>
    </span>
  );
}

const verdictTones = { ok: 'ok', waiting: 'warn', broken: 'bad' } as const;
const levelIcons = { problem: 'cross', note: 'info', good: 'check' } as const;
const verdictIcons = { ok: 'check', waiting: 'clock', broken: 'cross' } as const;

/** Why the tunnel works or not, in words. */
function WhyCard({ path }: { path: string }) {
  const why = useResource<Why>(`${path}/why`, { topic: 'legs', everyMs: 3_000 });
  const answer = why.value.value;
  if (answer === null) return null;
  // The first finding is the summary already: of it only the remedy is news.
  const findings = answer.findings.filter(({ text, remedy }) => text !== answer.summary || remedy !== null);
  return (
    <section class={`verdict tone-${verdictTones[answer.verdict]}`} aria-label="Why">
      <p class="verdict-summary">
        <Icon name={verdictIcons[answer.verdict]} />
        <bdi>{answer.summary}</bdi>
      </p>
      {findings.length > 0 && (
        <ul>
          {findings.map((finding) => (
            <Finding key={finding.text} finding={finding} isSummary={finding.text === answer.summary} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Finding({ finding, isSummary }: { finding: Why['findings'][number]; isSummary: boolean }) {
  const { level, text, remedy } = finding;
  return (
    <li>
      <Icon name={isSummary ? 'arrow' : levelIcons[level]} size={14} />
      <span>
        <span class="sr">{isSummary ? 'what to do' : level}: </span>
        {!isSummary && <bdi>{text} </bdi>}
        {remedy !== null && <bdi class="remedy">{remedy}</bdi>}
      </span>
    </li>
  );
}

function FactsCard({ tunnel }: { tunnel: TunnelDetail }) {
  return (
    <Card title="Facts">
      <Facts
        facts={[
          ['Id', <code key="id">{tunnel.id}</code>],
          ['Source listens on', <code key="l">{tunnel.source.listen}</code>],
          ['Destination forwards to', <code key="f">{tunnel.destination.forward}</code>],
          [
            'Relays',
            tunnel.placement === 'auto'
              ? `chosen automatically${tunnel.region === null ? '' : ` in ${tunnel.region}`}`
              : 'as named',
          ],
          ['Keys made', <When key="k" at={tunnel.keys_created_at} />],
          ['Generation', tunnel.generation],
          ['Made', <When key="m" at={tunnel.created_at} />],
          ['Changed', <When key="c" at={tunnel.updated_at} />],
          ['Description', <bdi key="d">{tunnel.description || '—'}</bdi>],
        ]}
      />
    </Card>
  );
}

/** Events and audit rows of this tunnel in one line of time. */
function HistoryCard({ path }: { path: string }) {
  const history = useResource<Page<HistoryEntry>>(`${path}/history?limit=50`, { topic: 'events', everyMs: 10_000 });
  const entries = history.value.value?.items ?? [];
  return (
    <Card title="History">
      {entries.length === 0 ? (
        <Empty title="Nothing yet." />
      ) : (
        <ol class="history" tabIndex={0} aria-label="History">
          {entries.map((entry, index) => (
            <HistoryLine key={`${entry.at}-${index}`} entry={entry} />
          ))}
        </ol>
      )}
    </Card>
  );
}

function HistoryLine({ entry }: { entry: HistoryEntry }) {
  const look = severityLooks[entry.severity];
  return (
    <li class="event-line">
      <span class={`event-sign tone-${entry.kind === 'audit' ? 'idle' : look.tone}`}>
        <Icon name={entry.kind === 'audit' ? 'users' : look.icon} />
      </span>
      <span class="event-text">
        <bdi>{entry.text}</bdi>
        {entry.actor !== null && (
          <small class="muted">
            by <bdi>{entry.actor}</bdi>
          </small>
        )}
      </span>
      <span class="event-when muted">
        <When at={entry.at} />
      </span>
    </li>
  );
}
