import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { NODE_PROTOCOL_VERSION } from '../../protocol/node/limits.ts';
import type { NodeChange, NodeRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { OwnEvents } from '../events/own-events.ts';
import type { Authenticator } from './authenticator.ts';
import { LiveNode } from './live-node.ts';
import type { AuthRequest } from './node-frame.ts';
import type { NodeRoster } from './node-roster.ts';
import { remoteBlock } from './remote-block.ts';
import type { SessionRunner } from './session-runner.ts';

export interface HubAdmissionDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly authenticator: Authenticator;
  readonly roster: NodeRoster;
  readonly events: OwnEvents;
  readonly instanceId: () => string;
}

/** Lets a node in, in this order: session row, reply, event, version check, reconcile. */
export class HubAdmission {
  readonly #dependencies: HubAdmissionDependencies;
  readonly refusals = new Map<string, number>();

  constructor(dependencies: HubAdmissionDependencies) {
    this.#dependencies = dependencies;
  }

  countRefusal(reason: string): void {
    // Without what the peer sent: an unauthenticated peer must not choose names of metrics, nor how many there are.
    const [label = ''] = reason.split(/ got '|: /, 1);
    this.refusals.set(label, (this.refusals.get(label) ?? 0) + 1);
  }

  /** Rejects when the database is away. */
  async admit(runner: SessionRunner, request: AuthRequest): Promise<void> {
    const { authenticator, roster, store, clock, events, instanceId } = this.#dependencies;
    const outcome = await authenticator.authenticate(request, remoteBlock(runner.remoteAddr));
    if (outcome.kind === 'refused') {
      runner.refuse(outcome.reason);
      return;
    }
    const { node } = outcome;
    const now = clock.now();
    const claim = await store.sessions.claim(node.id, instanceId(), runner.remoteAddr, now);
    if (claim === null) {
      const isThere = (await store.nodes.get(node.id)) !== null;
      runner.refuse(isThere ? 'Node is disabled' : 'Node not registered');
      return;
    }
    const live = new LiveNode(
      {
        id: node.id,
        name: node.name,
        // The kind that an operator chose, unless the node itself names one.
        kind: request.deviceType ?? node.kind,
        session: claim.session,
        remoteAddr: runner.remoteAddr,
        connectedAt: now,
        connectedAtMs: clock.monotonicMs(),
        expiresAt: node.expires_at,
        issuedSecretId: outcome.issuedSecretId,
      },
      runner,
    );
    runner.accept(outcome.registered);
    if (!roster.enter(runner, live)) return;
    events.connected(live);
    if (outcome.tokenUsedAgain) events.tokenUsedAgain(live);
    await this.#noteVersion(node, request, live);
    roster.joined(live);
  }

  /** Reported once for each version that differs, not at each connect. */
  async #noteVersion(node: NodeRow, { protocolVersion, softwareVersion }: AuthRequest, live: LiveNode): Promise<void> {
    const { store, events, clock } = this.#dependencies;
    const version = protocolVersion ?? 0;
    const change: NodeChange = {
      ...(softwareVersion !== null &&
        softwareVersion !== node.software_version && { software_version: softwareVersion }),
      ...(version !== node.protocol_version && { protocol_version: version }),
      ...(live.kind !== node.kind && { kind: live.kind }),
    };
    if (version !== node.protocol_version && version !== NODE_PROTOCOL_VERSION) events.versionDiffers(live, version);
    if (Object.keys(change).length > 0) await store.nodes.change(node.id, { ...change, updated_at: clock.now() });
  }
}
