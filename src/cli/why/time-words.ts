import { parseRfc3339 } from '../../lib/clock.ts';

const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

/** `3 minutes`, `1 hour`: the largest unit that fits, rounded down. Both are RFC 3339, by one clock. */
export function durationBetween(since: string, until: string): string {
  return durationWords((parseRfc3339(until) - parseRfc3339(since)) / 1000);
}

export function durationWords(seconds: number): string {
  for (const [name, size] of units) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'}`;
  }
  return 'a moment';
}

/** `12:00:01 UTC, 3 minutes ago`. */
export function agoWords(at: string, now: string): string {
  return `${at.slice(11, 19)} UTC, ${durationBetween(at, now)} ago`;
}
