import type { EventRow } from '../data/shapes.ts';

export interface EventGroup {
  /** Of the newest event. */
  readonly id: string;
  readonly event: EventRow;
  readonly repeats: number;
}

/** Joins neighbours with the same message of the same node; the newest stands for all. */
export function groupRepeats(events: readonly EventRow[]): EventGroup[] {
  const groups: EventGroup[] = [];
  for (const event of events) {
    const last = groups.at(-1);
    if (last !== undefined && sameStory(last.event, event)) {
      groups[groups.length - 1] = { ...last, repeats: last.repeats + 1 };
    } else {
      groups.push({ id: event.id, event, repeats: 1 });
    }
  }
  return groups;
}

function sameStory(one: EventRow, other: EventRow): boolean {
  return (
    one.node_id === other.node_id &&
    one.message === other.message &&
    one.tunnel_id === other.tunnel_id &&
    (one.acknowledged_at === null) === (other.acknowledged_at === null)
  );
}
