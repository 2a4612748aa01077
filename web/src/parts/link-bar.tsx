import type { EventRow, NodeState } from '../data/shapes.ts';
import { secondsClock } from '../data/time.ts';
import { duration, plural } from '../words/format.ts';

const dayMs = 86_400_000;

interface Span {
  readonly from: number;
  readonly to: number;
  readonly up: boolean | null;
}

/** Connected and disconnected over the last 24 h, as a bar. `events` are the node's connection events, newest first. */
export function LinkBar({
  events,
  state,
  createdAt,
}: {
  events: readonly EventRow[];
  state: NodeState;
  createdAt: number;
}) {
  // The end of this minute, so that a node that has just come is there.
  const now = Math.ceil(secondsClock.value / 60_000) * 60_000;
  const spans = linkSpans(events, { now, state, createdMs: createdAt });
  const upMs = spans.filter((span) => span.up).reduce((sum, span) => sum + span.to - span.from, 0);
  const knownMs = spans.filter((span) => span.up !== null).reduce((sum, span) => sum + span.to - span.from, 0);
  const share = knownMs === 0 ? null : (upMs / knownMs) * 100;
  const outages = spans.filter((span) => span.up === false).length;
  const words =
    share === null
      ? 'not connected in the last 24 h'
      : `${share.toFixed(1)} % up, ${plural(outages, 'outage')} in 24 h`;
  return (
    <div class="link-bar">
      <div class="link-bar-track" role="img" aria-label={words}>
        {spans.map((span) => (
          <span
            key={span.from}
            class={spanClass(span.up)}
            style={{ flexGrow: String(span.to - span.from) }}
            title={`${span.up === null ? 'not known' : span.up ? 'online' : 'offline'} for ${duration(span.to - span.from)}`}
          />
        ))}
      </div>
      <div class="link-bar-ends muted">
        <span>24 h ago</span>
        <span>{words}</span>
        <span>now</span>
      </div>
    </div>
  );
}

function spanClass(up: boolean | null): string {
  if (up === null) return 'span-unknown';
  return up ? 'span-up' : 'span-down';
}

interface SpanInput {
  readonly now: number;
  readonly state: NodeState;
  readonly createdMs: number;
}

function linkSpans(events: readonly EventRow[], { now, state, createdMs }: SpanInput): Span[] {
  const start = now - dayMs;
  const changes = events
    .map((event) => ({ at: event.raised_at, up: event.message.startsWith('Node connected') }))
    .filter(({ at }) => at >= start && at <= now)
    .sort((one, other) => one.at - other.at);
  const first = changes[0];
  let up: boolean | null = first === undefined ? state === 'online' || (state === 'offline' ? false : null) : !first.up;
  const spans: Span[] = [];
  let from = start;
  if (createdMs > start) {
    spans.push({ from: start, to: Math.min(createdMs, now), up: null });
    from = createdMs;
  }
  for (const change of changes) {
    if (change.at > from) spans.push({ from, to: change.at, up });
    from = Math.max(from, change.at);
    up = change.up;
  }
  if (now > from) spans.push({ from, to: now, up });
  return spans;
}
