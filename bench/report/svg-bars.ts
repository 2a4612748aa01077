/** Named values beside each other, each on the scale of its own panel. */
export interface Panel {
  readonly title: string;
  readonly bars: readonly { readonly name: string; readonly value: number }[];
}

const width = 720;
const area = { left: 130, right: 620 } as const;
const [headHeight, barHeight, gap] = [48, 16, 6];
const colours = ['#1b6ca8', '#2e8b57', '#c0392b', '#8e5ea2', '#b8860b'];

/** Horizontal bars from 0, a panel below the other, as a whole SVG file. A name has one colour in all panels. */
export function svgBars(title: string, panels: readonly Panel[]): string {
  const names = [...new Set(panels.flatMap(({ bars }) => bars.map(({ name }) => name)))];
  const drawn: string[] = [];
  let y = headHeight;
  for (const { title: panelTitle, bars } of panels) {
    const largest = Math.max(...bars.map(({ value }) => value));
    drawn.push(text(16, y + 12, panelTitle, 'font-weight="bold"'));
    y += barHeight + gap;
    for (const { name, value } of bars) {
      const length = largest === 0 ? 0 : (value / largest) * (area.right - area.left);
      const colour = colours[names.indexOf(name) % colours.length] ?? 'black';
      drawn.push(
        text(area.left - 8, y + 12, name, 'text-anchor="end"'),
        `<rect x="${area.left}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" fill="${colour}"/>`,
        text(area.left + length + 6, y + 12, shortly(value)),
      );
      y += barHeight + gap;
    }
    y += barHeight;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" font-family="sans-serif" font-size="13">`,
    `<rect width="${width}" height="${y}" fill="white"/>`,
    text(16, 26, title, 'font-size="16"'),
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped}</text>`;
}

/** Three digits, without an exponent. */
function shortly(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
