import type { EventSeverity, EventCategory } from '../../protocol/node/node-event.ts';
import type { MediaEvent } from '../../media/flow/flow-event.ts';

/** Events of media flows: those of their connections, from the worker, and those of the flows themselves. */
export type FlowEvent = { readonly flowId: string; readonly inputType: string } & (
  | { readonly kind: 'flow-started' }
  | { readonly kind: 'flow-stopped' }
  | { readonly kind: 'flow-failed'; readonly error: string }
  | { readonly kind: 'output-added'; readonly outputId: string }
  | { readonly kind: 'output-removed'; readonly outputId: string }
  | { readonly kind: 'output-failed'; readonly outputId: string; readonly error: string }
  | MediaEvent
);

type FlowEventKind = FlowEvent['kind'];
type EventOf<Kind extends FlowEventKind> = Extract<FlowEvent, { kind: Kind }>;

interface Text {
  readonly category: EventCategory;
  readonly severity: EventSeverity;
  readonly message: string;
}

/** The other end, in the words of the events. */
const peers = { publisher: 'WHIP publisher', server: 'WHEP', viewer: 'WHEP viewer' } as const;

const texts: { readonly [Kind in FlowEventKind]: (event: EventOf<Kind>) => Text } = {
  'flow-started': ({ flowId }) => flow('info', `Flow '${flowId}' started`),
  'flow-stopped': ({ flowId }) => flow('info', `Flow '${flowId}' stopped`),
  'flow-failed': ({ flowId, error }) => flow('critical', `Flow '${flowId}' failed to start: ${error}`),
  'input-lost': ({ error }) => flow('critical', `Flow input lost: ${error}`),
  'output-added': ({ flowId, outputId }) => flow('info', `Output '${outputId}' added to flow '${flowId}'`),
  'output-removed': ({ flowId, outputId }) => flow('info', `Output '${outputId}' removed from flow '${flowId}'`),
  'output-failed': ({ flowId, outputId, error }) => {
    return flow('warning', `Output '${outputId}' failed to start on flow '${flowId}': ${error}`);
  },
  'srt-connected': ({ outputId, mode, leg }) => {
    if (outputId !== null) return srt('info', `SRT output '${outputId}' connected`);
    const redundant = leg !== null && mode === 'listener' ? `, redundant leg ${leg}` : '';
    return srt('info', `SRT input connected (mode=${mode}${redundant})`);
  },
  'srt-disconnected': ({ outputId }) => {
    const message =
      outputId === null ? 'SRT input disconnected, reconnecting' : `SRT output '${outputId}' disconnected`;
    return srt('warning', message);
  },
  'srt-stale': ({ outputId }) => srt('warning', `SRT output '${outputId ?? ''}' stale connection detected`),
  'srt-failed': ({ outputId, error }) => {
    const side = outputId === null ? 'SRT input' : `SRT output '${outputId}'`;
    return srt('critical', `${side} connection failed: ${error}`);
  },
  'rtmp-connected': () => rtmp('info', 'RTMP publisher connected'),
  'rtmp-disconnected': () => rtmp('warning', 'RTMP publisher disconnected'),
  'rtmp-failed': ({ error }) => rtmp('critical', `RTMP server error: ${error}`),
  'rtsp-connected': ({ url }) => rtsp('info', `RTSP connected to ${url}`),
  'rtsp-disconnected': ({ error, retrySecs }) => {
    return rtsp('warning', `RTSP input disconnected: ${error}. Reconnecting in ${retrySecs}s`);
  },
  'webrtc-connected': ({ role }) => webrtc('info', `${peers[role]} connected`),
  'webrtc-disconnected': ({ role }) => webrtc('info', `${peers[role]} disconnected`),
  'webrtc-failed': ({ outputId, error }) => {
    return webrtc('warning', `WebRTC session ${outputId === null ? 'failed' : 'creation failed'}: ${error}`);
  },
  'hls-upload-failed': ({ error }) => hls('warning', `HLS segment upload failed: ${error}`),
  'hls-failed': ({ error }) => hls('critical', `HLS output failed: ${error}`),
  'leg-lost': ({ leg }) => ({ category: 'redundancy', severity: 'warning', message: `Redundant leg ${leg} lost` }),
  'legs-lost': () => ({ category: 'redundancy', severity: 'critical', message: 'Both redundant legs lost' }),
};

/** Category, severity and words of an event; details hold what is known beside. */
export function flowEventText(event: FlowEvent): Text & { readonly details: Readonly<Record<string, unknown>> } {
  // One table entry per kind, which the compiler cannot see through the union.
  const text = (texts[event.kind] as (event: FlowEvent) => Text)(event);
  return { ...text, details: detailsOf(event) };
}

/** Whether the event is one of a flow. */
export function isFlowEvent(event: { readonly kind: string }): event is FlowEvent {
  return Object.hasOwn(texts, event.kind);
}

function detailsOf(event: FlowEvent): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...event };
  return {
    input_type: event.inputType,
    ...named(fields, 'output_id', 'outputId'),
    ...named(fields, 'remote_addr', 'remoteAddr'),
    ...named(fields, 'stream_id', 'streamId'),
    ...named(fields, 'leg', 'leg'),
    ...named(fields, 'mode', 'mode'),
    ...named(fields, 'reason', 'reason'),
    ...named(fields, 'error', 'error'),
    ...named(fields, 'url', 'url'),
    ...named(fields, 'previous_failures', 'previousFailures'),
    ...named(fields, 'attempts', 'attempts'),
    ...named(fields, 'down_secs', 'downSecs'),
  };
}

function named(fields: Readonly<Record<string, unknown>>, name: string, key: string): Record<string, unknown> {
  const value = fields[key];
  return value === undefined || value === null || value === '' ? {} : { [name]: value };
}

function flow(severity: EventSeverity, message: string): Text {
  return { category: 'flow', severity, message };
}

function srt(severity: EventSeverity, message: string): Text {
  return { category: 'srt', severity, message };
}

function rtmp(severity: EventSeverity, message: string): Text {
  return { category: 'rtmp', severity, message };
}

function rtsp(severity: EventSeverity, message: string): Text {
  return { category: 'rtsp', severity, message };
}

function webrtc(severity: EventSeverity, message: string): Text {
  return { category: 'webrtc', severity, message };
}

function hls(severity: EventSeverity, message: string): Text {
  return { category: 'hls', severity, message };
}
