import { parseRfc3339 } from '../../lib/clock.ts';
import { asJsonObject } from '../../lib/json.ts';
import { parseTunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { NewEvent, Severity } from '../store/schema.ts';

const maxCategoryChars = 256;
const maxMessageChars = 10_000;
const maxDetailsChars = 65_536;
export const maxIdChars = 256;
const oldestMs = 30 * 86_400_000;
const newestMs = 5 * 60_000;
const severities: ReadonlySet<unknown> = new Set<Severity>(['info', 'warning', 'critical']);

/** An event frame of a node as a row; null when it has no message. Nothing in it can make the row unusable. */
export function eventOfNode(nodeId: string, timestamp: unknown, payload: unknown, nowMs: number): NewEvent | null {
  const fields = asJsonObject(payload);
  const message = fields?.['message'];
  if (fields === null || typeof message !== 'string') return null;
  const { severity, category, details, flow_id: flowId } = fields;
  const known = asJsonObject(details);
  const eventId = known?.['event_id'];
  const flow = typeof flowId === 'string' ? stored(flowId, maxIdChars) : null;
  return {
    node_id: nodeId,
    severity: severities.has(severity) ? (severity as Severity) : 'info',
    category: typeof category === 'string' ? stored(category, maxCategoryChars) : '',
    message: stored(message, maxMessageChars),
    details: known === null ? null : detailsText(known),
    flow_id: flow,
    tunnel_id: flow === null ? null : parseTunnelId(flow),
    event_id: typeof eventId === 'string' ? stored(eventId, maxIdChars) : null,
    raised_at: raisedAt(timestamp, nowMs),
    received_at: nowMs,
  };
}

/** What both databases can hold: no NUL, whole characters, no more than so many code points. */
export function stored(text: string, maxChars: number): string {
  const clean = text
    .slice(0, maxChars * 2)
    .replaceAll('\0', '')
    .toWellFormed();
  return clean.length <= maxChars ? clean : Array.from(clean).slice(0, maxChars).join('');
}

/** JSON, or how long it would have been. */
export function detailsText(details: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(details);
  return text.length <= maxDetailsChars ? text : JSON.stringify({ truncated: true, characters: text.length });
}

/** A clock that is far off does not give the time of the event. */
function raisedAt(timestamp: unknown, nowMs: number): number {
  const at = typeof timestamp === 'string' ? parseRfc3339(timestamp) : Number.NaN;
  return at >= nowMs - oldestMs && at <= nowMs + newestMs ? at : nowMs;
}
