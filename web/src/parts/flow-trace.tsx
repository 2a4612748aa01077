import type { FlowLive } from '../data/shapes.ts';
import { count, plural, scaled } from '../words/format.ts';
import { flowHealthLooks } from '../words/status.ts';

const width = 148;
const height = 34;
/** The strip of health below the curve. */
const strip = 4;
const curve = height - strip - 3;

/** The last minutes of a flow: its bit rate as a curve, health as a strip below, a mark for each continuity error. */
export function FlowTrace({ flow }: { flow: FlowLive }) {
  const { history } = flow;
  if (history.at.length < 2) return <small class="muted">no past yet</small>;
  const step = width / (history.at.length - 1);
  return (
    <svg
      class="flow-trace"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={traceWords(flow)}
    >
      <title>{traceWords(flow)}</title>
      <path class="trace-area" d={`${curvePath(history.bits_per_sec, step)} V ${curve} H 0 Z`} />
      <path class="trace-line" d={curvePath(history.bits_per_sec, step)} />
      {runs(history.health).map(({ health, from, to }) => (
        <rect
          key={from}
          class={`trace-health tone-${flowHealthLooks[health].tone}`}
          x={Math.max(0, (from - 0.5) * step)}
          y={height - strip}
          width={Math.min(width, (to + 0.5) * step) - Math.max(0, (from - 0.5) * step)}
          height={strip}
        />
      ))}
      {history.new_errors.map((errors, index) =>
        (errors ?? 0) > 0 ? <path key={index} class="trace-error" d={`M ${index * step} 0 V ${curve}`} /> : null,
      )}
    </svg>
  );
}

/** What the picture shows, for those who do not see it. */
function traceWords({ history }: FlowLive): string {
  const rates = history.bits_per_sec.filter((rate) => rate !== null);
  const errors = history.new_errors.reduce<number>((sum, each) => sum + (each ?? 0), 0);
  const minutes = Math.max(1, Math.round(((history.at.at(-1) ?? 0) - (history.at[0] ?? 0)) / 60_000));
  const rate =
    rates.length === 0
      ? 'no bit rate'
      : `${scaled(Math.min(...rates), 'bit/s')} to ${scaled(Math.max(...rates), 'bit/s')}`;
  const unwell = history.health.filter((health) => health !== 'Healthy').length;
  const share = Math.round((1 - unwell / history.health.length) * 100);
  return `Last ${minutes} min: ${rate}, ${count(share)} % healthy, ${plural(errors, 'continuity error')}`;
}

function curvePath(rates: readonly (number | null)[], step: number): string {
  const most = Math.max(1, ...rates.map((rate) => rate ?? 0));
  const points = rates.map((rate, index) => {
    const y = curve - ((rate ?? 0) / most) * (curve - 2);
    return `${(index * step).toFixed(1)} ${y.toFixed(1)}`;
  });
  return `M ${points.join(' L ')}`;
}

interface Run {
  readonly health: FlowLive['history']['health'][number];
  /** Indices, both within the run. */
  readonly from: number;
  readonly to: number;
}

/** Neighbours of equal health, as one. */
function runs(healths: FlowLive['history']['health']): Run[] {
  const found: Run[] = [];
  for (const [index, health] of healths.entries()) {
    const last = found.at(-1);
    if (last?.health === health) found[found.length - 1] = { ...last, to: index };
    else found.push({ health, from: index, to: index });
  }
  return found;
}
