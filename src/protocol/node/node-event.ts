import { z } from 'zod';
import { asJsonObject, parseJson } from '../../lib/json.ts';
import { encodeNodeMessage } from './node-message.ts';
import { parseTunnelId, type TunnelId } from '../tunnel/tunnel-id.ts';

export const EVENT_SEVERITIES = ['info', 'warning', 'critical'] as const;
export const EVENT_CATEGORIES = ['edge', 'tunnel', 'manager', 'config', 'observer'] as const;

export type EventSeverity = (typeof EVENT_SEVERITIES)[number];
export type EventCategory = (typeof EVENT_CATEGORIES)[number];

/** An operational event of a node (docs/protocol/events.md). */
export interface NodeEvent {
  /** When it was raised, not when it is sent; RFC 3339. */
  readonly timestamp: string;
  readonly severity: EventSeverity;
  readonly category: EventCategory;
  readonly message: string;
  /** The tunnel it is about; on every tunnel event. */
  readonly flowId?: TunnelId;
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
  const flowId = flow_id === undefined ? undefined : parseTunnelId(flow_id);
  if (flowId === null) return null;
  return {
    timestamp: parsed.data.timestamp,
    ...rest,
    ...(flowId !== undefined && { flowId }),
    ...(details !== undefined && { details }),
  };
}
