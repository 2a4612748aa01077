import { styleText } from 'node:util';

type Style = 'bold' | 'cyan' | 'dim' | 'green' | 'red' | 'yellow';

/** How a line looks, by how it begins; the first that fits. */
const styles: readonly (readonly [begins: RegExp, style: Style])[] = [
  [/^✗ .*/, 'red'],
  [/^✓ .*/, 'green'],
  [/^· .*/, 'dim'],
  [/^ {2}→ .*/, 'cyan'],
  [/^(warning|refused): /, 'yellow'],
  [/^(TUNNEL|FLOW|PID|NODE) .*/, 'bold'],
];

/**
 * What a command prints, with colours where standard output is a terminal that has them and NO_COLOR is not set. Text
 * of peers was made harmless before (`printable`), so it can neither bring nor end a colour.
 */
export function highlight(text: string): string {
  return text.split('\n').map(highlightLine).join('\n');
}

function highlightLine(line: string): string {
  const [begins, style] = styles.find(([each]) => each.test(line)) ?? [];
  return begins === undefined || style === undefined ? line : line.replace(begins, (part) => styleText(style, part));
}
