import { describe, expect, it } from 'vitest';
import { edgeEventText, type EdgeEvent } from '../../../../src/edge/events/edge-event.ts';
import { eventCatalogue, type CatalogueRow } from '../../../../src/edge/events/event-catalogue.ts';
import { hasText } from '../../../support/catalogue-text.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';
import { sampleEdgeTunnel } from '../../../support/samples/sample-edge.ts';
import { vectorTunnel } from '../../../support/samples/vectors.ts';

const flow = { flowId: 'main', inputType: 'srt' };
const input = { ...flow, outputId: null, leg: null, remoteAddr: '192.0.2.1:9000' };
const output = { ...input, outputId: 'out' };
const connected = { kind: 'srt-connected', streamId: null, attempts: 0, downSecs: 0 } as const;
const tunnel = { tunnel: { id: knownTunnelId(vectorTunnel.id), name: 'camera' } };
const relay = { ...tunnel, relayAddr: 'relay.example:4433' };
const url = 'wss://manager.example/ws/node';

/** At least one of every kind that an edge raises. */
const samples: readonly EdgeEvent[] = [
  { ...flow, kind: 'flow-started' },
  { ...flow, kind: 'flow-stopped' },
  { ...flow, kind: 'flow-failed', error: 'e' },
  { ...flow, kind: 'input-lost', error: 'e' },
  { ...flow, kind: 'output-added', outputId: 'out' },
  { ...flow, kind: 'output-removed', outputId: 'out' },
  { ...flow, kind: 'output-failed', outputId: 'out', error: 'e' },
  { ...input, ...connected, mode: 'listener' },
  { ...input, ...connected, mode: 'caller' },
  { ...input, ...connected, mode: 'listener', leg: 1 },
  { ...input, kind: 'srt-disconnected', reason: 'shutdown' },
  { ...input, kind: 'srt-failed', error: 'e', attempts: 1 },
  { ...output, ...connected, mode: 'caller' },
  { ...output, kind: 'srt-disconnected', reason: 'idle' },
  { ...output, kind: 'srt-stale' },
  { ...output, kind: 'srt-failed', error: 'e', attempts: 1 },
  { ...flow, kind: 'leg-lost', leg: 1, reason: 'shutdown' },
  { ...flow, kind: 'leg-lost', leg: 2, reason: 'shutdown' },
  { ...flow, kind: 'legs-lost' },
  { ...flow, kind: 'rtmp-connected', remoteAddr: 'a' },
  { ...flow, kind: 'rtmp-disconnected', remoteAddr: 'a', reason: 'r' },
  { ...flow, kind: 'rtmp-failed', error: 'e' },
  { ...flow, kind: 'rtsp-connected', url: 'rtsp://camera/', attempts: 0, downSecs: 0 },
  { ...flow, kind: 'rtsp-disconnected', url: 'rtsp://camera/', error: 'e', retrySecs: 5 },
  { ...flow, kind: 'hls-upload-failed', outputId: 'out', error: 'e', previousFailures: 0 },
  { ...flow, kind: 'hls-failed', outputId: 'out', error: 'e' },
  ...(['publisher', 'server', 'viewer'] as const).flatMap((role): EdgeEvent[] => [
    { ...flow, kind: 'webrtc-connected', role, outputId: null, remoteAddr: 'a' },
    { ...flow, kind: 'webrtc-disconnected', role, outputId: null, remoteAddr: 'a', reason: 'r' },
  ]),
  { ...flow, kind: 'webrtc-failed', outputId: null, error: 'e', attempts: 1 },
  { ...flow, kind: 'webrtc-failed', outputId: 'out', error: 'e', attempts: 1 },
  { ...tunnel, kind: 'tunnel-started', setup: sampleEdgeTunnel(tunnel.tunnel.id) },
  { ...tunnel, kind: 'tunnel-stopped' },
  { ...relay, kind: 'relay-connected', peer: 'present' },
  { ...relay, kind: 'relay-disconnected', reason: 'r' },
  { ...relay, kind: 'peer-disconnected', reason: 'r' },
  { ...relay, kind: 'relay-connection-failed', error: 'e' },
  { ...tunnel, kind: 'tunnel-failed', error: 'e' },
  { ...relay, kind: 'bind-rejected', reason: 'r' },
  { kind: 'manager-connected', url },
  { kind: 'manager-lost', url, error: null },
  { kind: 'manager-auth-failed', url, reason: 'r' },
  { kind: 'configuration-updated' },
  { kind: 'configuration-not-persisted', error: 'e' },
];

/** Whether an event's text is that of the row, with values in its places. */
function isRow(row: CatalogueRow, event: EdgeEvent): boolean {
  const text = edgeEventText(event);
  return hasText(row, text.message) && text.category === row.category && text.severity === row.severity;
}

describe('the catalogue of events', () => {
  it('has the 47 of the field, 10 critical, 16 warnings and 21 infos, each once', () => {
    const count = (severity: string): number => eventCatalogue.filter((row) => row.severity === severity).length;
    expect(eventCatalogue).toHaveLength(47);
    expect([count('critical'), count('warning'), count('info')]).toEqual([10, 16, 21]);
    expect(new Set(eventCatalogue.map(({ message }) => message)).size).toBe(47);
  });

  it('has a row for every text that an edge raises', () => {
    const strange = samples.filter((event) => !eventCatalogue.some((row) => isRow(row, event)));
    expect(strange.map((event) => edgeEventText(event).message)).toEqual([]);
  });

  it('has no row that nothing raises', () => {
    const idle = eventCatalogue.filter((row) => !samples.some((event) => isRow(row, event)));
    expect(idle.map(({ message }) => message)).toEqual([]);
  });
});
