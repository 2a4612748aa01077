import { rfc3339 } from '../../lib/clock.ts';
import type { NodeView } from '../fleet.ts';

/** The message that existing dashboards of the field expect, without any subscription. */
export function dashboardUpdate(nodes: Iterable<NodeView>): object {
  const rows = Array.from(nodes, ({ id, name, kind, state, software_version, last_seen_at, health }) => ({
    id,
    name,
    device_type: kind,
    status: state === 'online' ? 'online' : 'offline',
    software_version,
    last_seen_at: last_seen_at === null ? null : rfc3339(last_seen_at),
    health,
  }));
  const online_count = rows.filter(({ status }) => status === 'online').length;
  return { type: 'dashboard_update', nodes: rows, online_count };
}
