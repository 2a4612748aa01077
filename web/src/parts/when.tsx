import { isoTime, secondsClock } from '../data/time.ts';
import { exactTime, relativeTime } from '../words/format.ts';

/** A time relative to now, with the exact one on hover. */
export function When({ at, none = '—' }: { at: number | null | undefined; none?: string }) {
  if (at === null || at === undefined) return <span class="muted">{none}</span>;
  return (
    <time dateTime={isoTime(at)} title={exactTime(at)}>
      {relativeTime(at, secondsClock.value)}
    </time>
  );
}
