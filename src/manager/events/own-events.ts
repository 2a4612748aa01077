import type { Clock } from '../../lib/clock.ts';
import { NODE_PROTOCOL_VERSION } from '../../protocol/node/limits.ts';
import type { NewEvent, Severity } from '../store/schema.ts';
import { detailsText, maxIdChars, stored } from './node-event.ts';

interface NodeRef {
  readonly id: string;
  readonly name: string;
}

const flapWindowMs = 600_000;
const flapsToWarn = 5;
const maxMessageChars = 10_000;

/** The events that the manager raises itself, in the words that operators of such systems know. */
export class OwnEvents {
  readonly #clock: Clock;
  readonly #put: (event: NewEvent) => void;
  readonly #instanceId: () => string;
  readonly #flaps = new Map<string, { lost: number[]; reported: boolean }>();

  constructor(clock: Clock, put: (event: NewEvent) => void, instanceId: () => string) {
    this.#clock = clock;
    this.#put = put;
    this.#instanceId = instanceId;
  }

  connected(node: NodeRef & { readonly remoteAddr: string }): void {
    this.raise(node.id, 'info', 'connection', 'Node connected to manager', { remote_addr: node.remoteAddr });
  }

  disconnected(nodeId: string, reason: string, connectedSecs: number | null): void {
    const details = { reason, ...(connectedSecs !== null && { connected_secs: connectedSecs }) };
    this.raise(nodeId, 'critical', 'connection', 'Node disconnected from manager', details);
    this.#noteFlap(nodeId);
  }

  versionDiffers(node: NodeRef, version: number): void {
    const message =
      `Node WebSocket protocol version (${version}) differs from manager (${NODE_PROTOCOL_VERSION}). Consider ` +
      'upgrading.';
    this.raise(node.id, 'warning', 'compatibility', message, { node_version: version });
  }

  tokenUsedAgain(node: NodeRef & { readonly remoteAddr: string }): void {
    const details = { remote_addr: node.remoteAddr };
    this.raise(node.id, 'warning', 'connection', 'Registration token used again', details);
  }

  raise(
    nodeId: string | null,
    severity: Severity,
    category: string,
    message: string,
    details: Readonly<Record<string, unknown>>,
    { flowId = null, tunnelId = null }: { readonly flowId?: string | null; readonly tunnelId?: string | null } = {},
  ): void {
    const now = this.#clock.now();
    this.#put({
      node_id: nodeId,
      instance_id: this.#instanceId(),
      severity,
      category,
      message: stored(message, maxMessageChars),
      details: detailsText(details),
      flow_id: flowId === null ? null : stored(flowId, maxIdChars),
      tunnel_id: tunnelId,
      raised_at: now,
      received_at: now,
    });
  }

  /** How often a node was lost in the last ten minutes. */
  flaps(nodeId: string): number {
    return this.#recent(nodeId).length;
  }

  #noteFlap(nodeId: string): void {
    const lost = [...this.#recent(nodeId), this.#clock.monotonicMs()].slice(-flapsToWarn);
    const reported = this.#flaps.get(nodeId)?.reported === true && lost.length > 1;
    const unstable = lost.length >= flapsToWarn;
    this.#flaps.set(nodeId, { lost, reported: reported || unstable });
    if (!unstable || reported) return;
    this.raise(nodeId, 'warning', 'connection', 'Node link is unstable', {
      disconnects: lost.length,
      window_secs: 600,
    });
  }

  #recent(nodeId: string): number[] {
    const since = this.#clock.monotonicMs() - flapWindowMs;
    return (this.#flaps.get(nodeId)?.lost ?? []).filter((at) => at > since);
  }
}
