import type { z } from 'zod';
import type { Fleet } from '../fleet.ts';
import type { AuditReader } from '../store/access-store.ts';
import type { historyEntrySchema } from '../views/tunnels.ts';

type Entry = z.input<typeof historyEntrySchema>;

interface HistorySources {
  readonly fleet: Fleet;
  readonly trail: Pick<AuditReader, 'ofTarget'>;
}

/** Events and audit rows of one tunnel or flow, newest first. `targets` are the forms in which audit rows name it. */
export async function historyOf(
  filter: { readonly tunnelId?: string; readonly flowId?: string },
  targets: readonly string[],
  limit: number,
  { fleet, trail }: HistorySources,
): Promise<Entry[]> {
  const [events, ...changes] = await Promise.all([
    fleet.events.page({ ...filter, limit }),
    ...Array.from(new Set(targets), (target) => trail.ofTarget(target, limit)),
  ]);
  const entries: Entry[] = [
    ...events.map(({ raised_at, severity, message, node_id }) => ({
      ...{ at: raised_at, kind: 'event' as const, severity, text: message, actor: null, node_id },
    })),
    ...changes.flat().map(({ at, action, actor, outcome }) => ({
      ...{ at, kind: 'audit' as const, severity: 'info' as const, actor, node_id: null },
      text: outcome === 'ok' ? action : `${action}: ${outcome}`,
    })),
  ];
  return entries.sort((one, other) => other.at - one.at).slice(0, limit);
}
