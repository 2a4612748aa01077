import { useEffect, useState } from 'preact/hooks';
import { readFlowStats, type FlowStats } from '../data/flow-stats.ts';
import { useResource } from '../data/resource.ts';
import { nowMs } from '../data/time.ts';
import type { FlowRow, NodeStats } from '../data/shapes.ts';
import { Badge } from '../parts/badge.tsx';
import { Card, Empty } from '../parts/card.tsx';
import { Chart } from '../parts/chart.tsx';
import { count, scaled } from '../words/format.ts';
import { flowHealthLooks } from '../words/status.ts';

interface Point {
  readonly at: number;
  readonly bitsPerSecond: number;
  /** Continuity errors since the point before. */
  readonly newErrors: number;
  readonly errors: number;
}

const periodMs = 2_000;
/** Ten minutes; the page draws what came since it was opened. */
const mostPoints = 300;

/** How a flow runs now, from the stats of its edge. */
export function FlowLive({ flow }: { flow: FlowRow }) {
  const resource = useResource<NodeStats>(`nodes/${encodeURIComponent(flow.node_id)}/stats`, { everyMs: periodMs });
  const read = resource.value.value;
  const id = (flow.config as Readonly<Record<string, unknown>>)['id'];
  const stats = readFlowStats(read?.stats ?? null, typeof id === 'string' ? id : '');
  const [points, setPoints] = useState<readonly Point[]>([]);
  useEffect(() => {
    if (stats !== null) setPoints((before) => [...before, next(before.at(-1), stats)].slice(-mostPoints));
  }, [read]);
  if (stats === null) {
    return (
      <Card title="Now">
        <Empty title="No stats of this flow.">They come while its edge is connected and has it.</Empty>
      </Card>
    );
  }
  return (
    <>
      <Parts stats={stats} />
      <div class="columns">
        <Curve
          title="Bit rate"
          unit="bit/s"
          colour="--chart-1"
          points={points}
          value={(point) => point.bitsPerSecond}
        />
        <Curve
          title="Continuity errors"
          unit=""
          colour="--chart-2"
          points={points}
          value={(point) => point.newErrors}
        />
      </div>
    </>
  );
}

function next(before: Point | undefined, stats: FlowStats): Point {
  const errors = stats.continuityErrors ?? 0;
  // A flow that was started again counts from zero.
  const newErrors = before === undefined ? 0 : Math.max(0, errors - before.errors);
  return { at: nowMs() / 1_000, bitsPerSecond: stats.bitsPerSecond, newErrors, errors };
}

function Parts({ stats }: { stats: FlowStats }) {
  const errors =
    stats.continuityErrors === null ? 'not analysed' : `${count(stats.continuityErrors)} continuity errors`;
  return (
    <Card title="Now" aside={<Badge look={flowHealthLooks[stats.health]} />}>
      {stats.problem !== null && (
        <p class="error-text">
          <bdi>{stats.problem}</bdi>
        </p>
      )}
      <table>
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col">State</th>
            <th scope="col">Bit rate</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">
              input <small class="muted">{errors}</small>
            </th>
            <td>
              <bdi>{stats.inputState ?? (stats.running ? 'starting' : 'stopped')}</bdi>
            </td>
            <td>{scaled(stats.bitsPerSecond, 'bit/s')}</td>
          </tr>
          {stats.outputs.map(({ id, type, state, bitsPerSecond }) => (
            <tr key={id}>
              <th scope="row">
                <bdi>{id}</bdi> <small class="muted">{type}</small>
              </th>
              <td>
                <bdi>{state}</bdi>
              </td>
              <td>{scaled(bitsPerSecond, 'bit/s')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

interface CurveProps {
  readonly title: string;
  readonly unit: string;
  readonly colour: string;
  readonly points: readonly Point[];
  readonly value: (point: Point) => number;
}

function Curve({ title, unit, colour, points, value }: CurveProps) {
  return (
    <Card title={title}>
      {points.length < 2 ? (
        <Empty title="No curve yet.">It begins when this page is opened.</Empty>
      ) : (
        <Chart
          label={title}
          unit={unit}
          times={points.map(({ at }) => at)}
          series={[{ label: title.toLowerCase(), colour, values: points.map(value) }]}
        />
      )}
    </Card>
  );
}
