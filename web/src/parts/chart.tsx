import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { axisWords, scaled } from '../words/format.ts';

export interface Series {
  readonly label: string;
  /** A token of style/tokens.css. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly label: string;
  readonly unit: string;
  /** Seconds since the epoch, rising. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
}

const height = 168;

/** Curves over time. The figures are beside it as text too, so it is only a picture for assistive technology. */
export function Chart({ label, unit, times, series }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const labels = series.map((one) => one.label).join('|');
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const drawn = new uPlot(options(element, unit, series), data(times, series), element);
    plot.current = drawn;
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      drawn.destroy();
      plot.current = null;
    };
  }, [labels, unit]);
  useEffect(() => {
    plot.current?.setData(data(times, series));
  }, [times, series]);
  const latest = series.map((one) => `${one.label} ${scaled(one.values.at(-1) ?? 0, unit)}`).join(', ');
  return <div class="chart" ref={frame} role="img" aria-label={`${label}: ${latest}`} />;
}

function data(times: readonly number[], series: readonly Series[]): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])] as uPlot.AlignedData;
}

function options(element: HTMLElement, unit: string, series: readonly Series[]): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (token: string) => style.getPropertyValue(token);
  const axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: `11px ${style.fontFamily}`,
  };
  return {
    // Room for half a label of the time axis.
    padding: [8, 26, 0, 0],
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { points: { size: 6 }, y: false },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, (max || 0) * 1.15)] } },
    axes: [
      { ...axis, size: 28, space: 80, values: (_plot, splits) => splits.map(timeLabel) },
      { ...axis, size: 76, space: 36, incrs: wholeSteps, values: (_plot, splits) => axisWords(splits, unit) },
    ],
    series: [
      {},
      ...series.map((one) => ({
        label: one.label,
        stroke: colour(one.colour),
        fill: `color-mix(in srgb, ${colour(one.colour)} 12%, transparent)`,
        width: 1.75,
        points: { show: false },
      })),
    ],
  };
}

/** 1, 2, 5, 10 …: rates and counts are whole, and no two lines of the grid have one number. */
const wholeSteps = Array.from({ length: 15 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

function timeLabel(seconds: number): string {
  return new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' }).format(seconds * 1_000);
}
