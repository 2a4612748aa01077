import { useMemo } from 'preact/hooks';
import { readFlowStats, type FlowStats } from '../data/flow-stats.ts';
import { query } from '../data/api.ts';
import { useResource } from '../data/resource.ts';
import type { FlowLive, FlowRow, NodeStats, Page } from '../data/shapes.ts';
import { Badge } from '../parts/badge.tsx';
import { Card, Empty } from '../parts/card.tsx';
import { Chart } from '../parts/chart.tsx';
import { SimpleTable, type Column } from '../parts/table.tsx';
import { count, scaled } from '../words/format.ts';
import { flowHealthLooks } from '../words/status.ts';

const periodMs = 2_000;
const curvePeriodMs = 5_000;
/** Ten minutes. */
const points = 120;

/** How a flow runs now, and how it did in the last ten minutes, from the stats of its edge. */
export function FlowLiveCards({ flow }: { flow: FlowRow }) {
  const resource = useResource<NodeStats>(`nodes/${encodeURIComponent(flow.node_id)}/stats`, { everyMs: periodMs });
  const stats = readFlowStats(resource.value.value?.stats ?? null, flow.flow_id);
  if (resource.value.value === null && resource.error.value === null) return null;
  if (stats === null) {
    return (
      <Card title="Now">
        <Empty title="No stats of this flow.">
          They come while its edge is connected and has the flow.{' '}
          <a href={`/nodes/${encodeURIComponent(flow.node_id)}`}>See the edge</a>.
        </Empty>
      </Card>
    );
  }
  return (
    <>
      <PartsCard stats={stats} />
      <Curves id={flow.id} />
    </>
  );
}

interface Part {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  readonly state: string;
  readonly bitsPerSecond: number;
}

const columns: readonly Column<Part>[] = [
  {
    key: 'part',
    title: 'Part',
    width: 2,
    cell: (part) => (
      <span class="name-text">
        <bdi>{part.name}</bdi>
        <small class="muted">{part.note}</small>
      </span>
    ),
  },
  { key: 'state', title: 'State', width: 2, cell: (part) => <bdi>{part.state}</bdi> },
  { key: 'rate', title: 'Bit rate', width: 1, align: 'right', cell: (part) => scaled(part.bitsPerSecond, 'bit/s') },
];

function PartsCard({ stats }: { stats: FlowStats }) {
  return (
    <Card title="Now" aside={<Badge look={flowHealthLooks[stats.health]} />}>
      {stats.problem !== null && (
        <p class="error-text">
          <bdi>{stats.problem}</bdi>
        </p>
      )}
      <SimpleTable label="Parts of the flow" columns={columns} items={partsOf(stats)} />
    </Card>
  );
}

function partsOf(stats: FlowStats): readonly Part[] {
  const errors =
    stats.continuityErrors === null ? 'not analysed' : `${count(stats.continuityErrors)} continuity errors`;
  const state = stats.inputState ?? (stats.running ? 'starting' : 'stopped');
  return [
    { id: 'input', name: 'Input', note: errors, state, bitsPerSecond: stats.bitsPerSecond },
    ...stats.outputs.map((output) => ({
      ...{ id: `output ${output.id}`, name: output.id, note: `${output.type} output` },
      ...{ state: output.state, bitsPerSecond: output.bitsPerSecond },
    })),
  ];
}

function Curves({ id }: { id: string }) {
  const read = useResource<Page<FlowLive>>(`flow-stats${query({ ids: id, points })}`, { everyMs: curvePeriodMs });
  const history = read.value.value?.items[0]?.history;
  const times = useMemo(() => (history?.at ?? []).map((at) => at / 1_000), [history]);
  return (
    <div class="columns">
      <Curve title="Bit rate" unit="bit/s" colour="--chart-1" times={times} values={history?.bits_per_sec ?? []} />
      <Curve title="Continuity errors" unit="" colour="--chart-2" times={times} values={history?.new_errors ?? []} />
    </div>
  );
}

interface CurveProps {
  readonly title: string;
  readonly unit: string;
  readonly colour: string;
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
}

function Curve({ title, unit, colour, times, values }: CurveProps) {
  const series = useMemo(() => [{ label: title.toLowerCase(), colour, values }], [title, colour, values]);
  return (
    <Card title={title}>
      {times.length < 2 ? (
        <Empty title="No curve yet.">The manager keeps a point every 5 s while the edge is connected to it.</Empty>
      ) : (
        <Chart label={title} unit={unit} times={times} series={series} />
      )}
    </Card>
  );
}
