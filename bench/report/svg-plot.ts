export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
}

const size = { width: 720, height: 420 } as const;
const area = { left: 70, right: 560, top: 50, bottom: 360 } as const;
const colours = ['#1b6ca8', '#c0392b', '#2e8b57', '#8e5ea2', '#b8860b', '#555555'];
const gridLines = 5;

/** Lines over a logarithmic x axis and a y axis from 0, as a whole SVG file. The x values are its ticks. */
export function svgPlot({ title, xLabel, yLabel, series }: Plot): string {
  const points = series.flatMap((line) => line.points);
  const xs = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b);
  const top = niceCeiling(Math.max(0, ...points.map((point) => point.y)));
  const x = logScale(xs[0] ?? 1, xs.at(-1) ?? 1);
  const y = (value: number): number => area.bottom - (value / top) * (area.bottom - area.top);
  const middle = (area.left + area.right) / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="13">`,
    `<rect width="${size.width}" height="${size.height}" fill="white"/>`,
    text({ x: middle, y: 25, anchor: 'middle' }, title, 'font-size="16"'),
    ...Array.from({ length: gridLines + 1 }, (_, line) => gridLine((top * line) / gridLines, y)),
    ...xs.map((value) => text({ x: x(value), y: area.bottom + 20, anchor: 'middle' }, label(value))),
    text({ x: middle, y: area.bottom + 45, anchor: 'middle' }, xLabel),
    text({ x: 18, y: area.top - 18, anchor: 'start' }, yLabel),
    ...series.flatMap((line, index) => drawSeries(line, index, { x, y })),
    '</svg>',
    '',
  ].join('\n');
}

/** The smallest 1, 2, 2.5 or 5 times a power of ten that is not below `value`; 1 for 0. */
export function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 2.5, 5, 10].find((step) => step * power >= value) ?? 10);
}

type Scale = (value: number) => number;

function logScale(from: number, to: number): Scale {
  const span = Math.log(to) - Math.log(from);
  return (value) =>
    area.left + (span === 0 ? 0.5 : (Math.log(value) - Math.log(from)) / span) * (area.right - area.left);
}

function drawSeries(
  { name, points }: Series,
  index: number,
  scale: { readonly x: Scale; readonly y: Scale },
): string[] {
  const colour = colours[index % colours.length] ?? 'black';
  const places = points.map((point) => ({ x: round(scale.x(point.x)), y: round(scale.y(point.y)) }));
  const legendY = area.top + 10 + index * 20;
  return [
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${places.map(({ x, y }) => `${x},${y}`).join(' ')}"/>`,
    ...places.map(({ x, y }) => `<circle cx="${x}" cy="${y}" r="3.5" fill="${colour}"/>`),
    `<rect x="${area.right + 20}" y="${legendY - 9}" width="12" height="4" fill="${colour}"/>`,
    text({ x: area.right + 40, y: legendY, anchor: 'start' }, name),
  ];
}

function gridLine(value: number, y: Scale): string {
  const at = round(y(value));
  const line = `<line x1="${area.left}" y1="${at}" x2="${area.right}" y2="${at}" stroke="#dddddd"/>`;
  return line + text({ x: area.left - 8, y: at + 4, anchor: 'end' }, label(value));
}

function text(at: { x: number; y: number; anchor: 'start' | 'middle' | 'end' }, content: string, extra = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${round(at.x)}" y="${round(at.y)}" text-anchor="${at.anchor}" ${extra}>${escaped}</text>`;
}

function label(value: number): string {
  return value >= 1000 ? `${round(value / 1000)}k` : String(round(value));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
