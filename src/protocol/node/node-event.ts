import { z } from 'zod';
import { asJsonObject, parseJson } from '../../lib/json.ts';
import { encodeNodeMessage } from './node-message.ts';
import { parseTunnelId } from '../tunnel/tunnel-id.ts';

export const EVENT_SEVERITIES = ['info', 'warning', 'critical'] as const;
export const EVENT_CATEGORIES = [
  ...(['edge', 'tunnel', 'manager', 'config', 'observer'] as const),
  ...(['flow', 'srt', 'redundancy', 'rtmp', 'rtsp', 'hls', 'webrtc'] as const),
] as const;
/** The ids of flows are no longer. */
const maxFlowId = 64;

export type EventSeverity = (typeof EVENT_SEVERITIES)[number];
export type EventCategory = (typeof EVENT_CATEGORIES)[number];

/** An operational event of a node (docs/protocol/events.md). */
export interface NodeEvent {
  /** When it was raised, not when it is sent; RFC 3339. */
  readonly timestamp: string;
  readonly severity: EventSeverity;
  readonly category: EventCategory;
  readonly message: string;
  /** The tunnel or the media flow that it is about; on every event of one. */
  readonly flowId?: string;
  /** Structured context; holds `event_id` once the event is on its way, by which a manager drops repeats. */
  readonly details?: Readonly<Record<string, unknown>>;
}

const eventSchema = z.object({
  type: z.literal('event'),
  timestamp: z.iso.datetime({ offset: true }),
  payload: z.object({
    severity: z.enum(EVENT_SEVERITIES),
    category: z.enum(EVENT_CATEGORIES),
    message: z.string(),
    flow_id: z.string().optional(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
});

/** The event as a text frame for the manager. `flow_id` and `details` are left out when absent. */
export function encodeEvent(event: NodeEvent): string {
  const { severity, category, message, flowId, details } = event;
  return encodeNodeMessage('event', { severity, category, message, flow_id: flowId, details }, event.timestamp);
}

/** Reads a frame that `encodeEvent` wrote, such as a line of the journal; null when it is torn or not an event. */
export function parseEvent(frame: string): NodeEvent | null {
  const parsed = eventSchema.safeParse(asJsonObject(parseJson(frame)));
  if (!parsed.success) return null;
  const { flow_id, details, ...rest } = parsed.data.payload;
  const flowId = flow_id === undefined ? undefined : flowIdOf(flow_id, rest.category);
  if (flowId === null) return null;
  return {
    timestamp: parsed.data.timestamp,
    ...rest,
    ...(flowId !== undefined && { flowId }),
    ...(details !== undefined && { details }),
  };
}

/** The id of a tunnel or, in the categories of media, of a flow; null for what is neither. */
function flowIdOf(text: string, category: EventCategory): string | null {
  const tunnelId = parseTunnelId(text);
  if (tunnelId !== null || category === 'tunnel') return tunnelId;
  return text !== '' && text.length <= maxFlowId ? text : null;
}
