import type { z } from 'zod';
import type { Fleet } from '../fleet.ts';
import type { AuditReader } from '../store/access-store.ts';
import type { EventQuery } from '../store/store.ts';
import type { historyEntrySchema } from '../views/tunnels.ts';

type Entry = z.input<typeof historyEntrySchema>;

interface HistorySources {
  readonly fleet: Fleet;
  readonly trail: Pick<AuditReader, 'ofTarget'>;
}

/**
 * Events and audit rows of one tunnel or flow, newest first. Every user may read it, so it has no rows about anything
 * else: a user may have the name of a tunnel, and a failed sign-in may give any name.
 */
export async function historyOf(
  filter: Pick<EventQuery, 'tunnelId' | 'nodeId' | 'flowId'>,
  changed: { readonly kind: 'tunnel' | 'flow'; readonly id: string },
  limit: number,
  { fleet, trail }: HistorySources,
): Promise<Entry[]> {
  const [events, changes] = await Promise.all([
    fleet.events.page({ ...filter, limit }),
    trail.ofTarget(changed.id, `${changed.kind}.`, limit),
  ]);
  const entries: Entry[] = [
    ...events.map(({ raised_at, severity, message, node_id }) => ({
      ...{ at: raised_at, kind: 'event' as const, severity, text: message, actor: null, node_id },
    })),
    ...changes.map(({ at, action, actor, outcome }) => ({
      ...{ at, kind: 'audit' as const, severity: 'info' as const, actor, node_id: null },
      text: outcome === 'ok' ? action : `${action}: ${outcome}`,
    })),
  ];
  return entries.sort((one, other) => other.at - one.at).slice(0, limit);
}
