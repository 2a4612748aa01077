import { nowMs } from '../data/time.ts';

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];

/** `3 min ago`, `in 2 h`, `just now`. */
export function relativeTime(at: number, atMs: number = nowMs()): string {
  const difference = at - atMs;
  for (const [unit, length] of units) {
    const count = Math.trunc(difference / length);
    if (count === 0) continue;
    return new Intl.RelativeTimeFormat('en', { style: 'narrow', numeric: 'always' }).format(count, unit);
  }
  return 'just now';
}

/** `3 d 4 h`, `12 min`, `8 s`: how long something has lasted. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function exactTime(at: number): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' }).format(at);
}

const prefixes = ['', 'k', 'M', 'G', 'T'] as const;

/** `12.3 Mbit/s`, with steps of 1 000. */
export function scaled(value: number, unit: string): string {
  const step = stepOf(Math.abs(value));
  const number = value / 1_000 ** step;
  const digits = step === 0 || number >= 100 ? 0 : 1;
  return `${number.toFixed(digits)} ${prefixes[step] ?? ''}${unit}`;
}

/** Labels of an axis: all in the prefix of the largest, with as many digits as keep them apart. */
export function axisWords(values: readonly number[], unit: string): string[] {
  const most = Math.max(0, ...values.map(Math.abs));
  const step = stepOf(most);
  const digits = [0, 1, 2].find((each) => distinct(values.map((value) => (value / 1_000 ** step).toFixed(each)))) ?? 3;
  return values.map((value) => `${(value / 1_000 ** step).toFixed(digits)} ${prefixes[step] ?? ''}${unit}`.trimEnd());
}

function distinct(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}

function stepOf(value: number): number {
  return Math.min(prefixes.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
}

export function count(value: number): string {
  return new Intl.NumberFormat('en').format(value);
}

/** `1 node`, `2 nodes`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A value of a config as one line of text. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null) return '—';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
