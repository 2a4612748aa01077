import type { AgentReport, NodeStats } from '../data/shapes.ts';
import { useResource } from '../data/resource.ts';
import { readWatched } from '../data/watched.ts';
import { Badge } from '../parts/badge.tsx';
import { Card, Empty } from '../parts/card.tsx';
import { SimpleTable, type Column } from '../parts/table.tsx';
import { count, duration, plural } from '../words/format.ts';
import { agentLook } from '../words/status.ts';

type AgentRow = AgentReport & { readonly id: string };

const columns: readonly Column<AgentRow>[] = [
  {
    key: 'process',
    title: 'Process',
    width: 2,
    cell: ({ label, pid, exited }) => (
      <span class="name-text">
        <bdi>{label ?? `pid ${pid}`}</bdi>
        <small class="muted">
          {label === null ? '' : `pid ${pid}`}
          {exited ? ' has ended' : ''}
        </small>
      </span>
    ),
  },
  { key: 'state', title: 'State', width: 1.2, cell: (agent) => <Badge look={agentLook(agent)} /> },
  { key: 'silent', title: 'Last beat', width: 1, align: 'right', cell: ({ silent_ms: ms }) => `${duration(ms)} ago` },
  { key: 'beats', title: 'Beats', width: 1, align: 'right', hide: 2, cell: ({ beats }) => count(beats) },
  { key: 'stalls', title: 'Silences', width: 1, align: 'right', hide: 2, cell: ({ stalls }) => count(stalls) },
  { key: 'origin', title: 'Vouched for by', width: 1.4, hide: 1, cell: ({ origin }) => origins[origin] },
];

const origins: Readonly<Record<AgentReport['origin'], string>> = {
  KernelAttested: 'the kernel',
  OperatorAttestedTransport: 'the operator',
  NetworkUnverified: 'nobody (UDP)',
  SocketModeOnly: 'the socket',
};

/** What an observer says of the processes that it watches. Silent ones come first. */
export function AgentsCard({ path }: { path: string }) {
  const stats = useResource<NodeStats>(`${path}/stats`, { everyMs: 2_000 });
  const newest = readWatched(stats.value.value?.stats ?? null);
  const agents = (newest?.agents ?? []).map((agent) => ({ ...agent, id: String(agent.pid) }));
  const rows = agents.toSorted((a, b) => Number(b.stalled) - Number(a.stalled) || a.pid - b.pid);
  return (
    <Card
      title="Watched processes"
      aside={
        newest === null ? null : (
          <span class="muted">
            {plural(newest.count, 'process', 'processes')} on <bdi>{newest.host}</bdi>
          </span>
        )
      }
    >
      {rows.length === 0 ? (
        <Empty title="No process has beaten yet.">
          The table comes with the observer's stats while it is connected.
        </Empty>
      ) : (
        <SimpleTable label="Watched processes" columns={columns} items={rows} />
      )}
    </Card>
  );
}
