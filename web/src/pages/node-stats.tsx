import type { NodeDetail, NodeStats } from '../data/shapes.ts';
import { useResource } from '../data/resource.ts';
import { useMemo } from 'preact/hooks';
import { Card, Empty } from '../parts/card.tsx';
import { Chart } from '../parts/chart.tsx';
import { count, duration, scaled } from '../words/format.ts';

/** Throughput and counts of the last minutes, from the node's stats frames. */
export function NodeStatsCards({ node, path }: { node: NodeDetail; path: string }) {
  const stats = useResource<NodeStats>(`${path}/stats`, { everyMs: 2_000 });
  const current = stats.value.value;
  const history = current?.history ?? [];
  const times = useMemo(() => history.map(({ at }) => at / 1_000), [current]);
  const rates = useMemo(() => history.map((point) => toBits(point.bytes_per_sec)), [current]);
  const tunnels = useMemo(() => history.map((point) => point.tunnels), [current]);
  if (history.length < 2) {
    return (
      <Card title="Stats">
        <Empty title="No curve yet.">It is drawn from the stats that come while the node is connected.</Empty>
      </Card>
    );
  }
  return (
    <div class="columns">
      <Card title="Throughput" aside={<Latest values={rates} unit="bit/s" />}>
        <Chart
          label="Throughput"
          unit="bit/s"
          times={times}
          series={[{ label: 'forwarded', colour: '--chart-1', values: rates }]}
        />
      </Card>
      <Card title="Active tunnels" aside={<Uptime node={node} stats={current} />}>
        <Chart
          label="Active tunnels"
          unit=""
          times={times}
          series={[{ label: 'active', colour: '--chart-2', values: tunnels }]}
        />
      </Card>
    </div>
  );
}

function toBits(bytes: number | null): number | null {
  return bytes === null ? null : bytes * 8;
}

function Latest({ values, unit }: { values: readonly (number | null)[]; unit: string }) {
  const value = values.at(-1);
  return <span class="figure-now">{value == null ? '—' : scaled(value, unit)}</span>;
}

function Uptime({ node, stats }: { node: NodeDetail; stats: NodeStats | null }) {
  const seconds = stats?.stats?.['uptime_secs'];
  const active = stats?.history.at(-1)?.tunnels;
  return (
    <span class="figure-now">
      {active == null ? '—' : count(active)}
      {node.state === 'online' && typeof seconds === 'number' && (
        <small class="muted"> · node up {duration(seconds * 1_000)}</small>
      )}
    </span>
  );
}
