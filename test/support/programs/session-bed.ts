import { expect } from 'vitest';
import type { EdgeMessage, MessageOf } from '../../../src/protocol/tunnel/control-message.ts';
import { closeReason } from '../../../src/protocol/tunnel/close-code.ts';
import { tunnelDownReason } from '../../../src/protocol/tunnel/tunnel-down-reason.ts';
import type { SessionAction } from '../../../src/relay/session/session-action.ts';
import { Session, type SessionPhase, type SessionSettings } from '../../../src/relay/session/session.ts';
import { toSessionId } from '../../../src/relay/tunnels/session-id.ts';
import { pairTunnel } from './relay-pair.ts';

export const remoteAddr = '192.0.2.1:40000';
const settings: SessionSettings = {
  softwareVersion: '1.2.3',
  minProtocolVersion: 0,
  holdWaitingEdges: false,
  controlStreamTimeoutMs: 5000,
  firstBindTimeoutMs: 10_000,
};

/** A session without a runner, whose tunnels are what a test says. */
export class SessionBed {
  held = 0;
  readonly session: Session;

  constructor(overrides: Partial<SessionSettings> = {}) {
    const registry = { heldBinds: () => this.held };
    const dependencies = { id: toSessionId(1), registry, remoteAddr: () => remoteAddr };
    this.session = new Session(dependencies, { ...settings, ...overrides }, 'challenge', 0);
  }

  tell(message: EdgeMessage): SessionAction[] {
    return this.session.receive({ kind: 'message', message }, 0);
  }

  hello(features: string[] = [], version = 2): SessionAction[] {
    return this.tell({ type: 'hello', protocol_version: version, software_version: 'x', features });
  }

  /** Brings a new session into a phase by what an edge does. */
  static in(phase: SessionPhase, overrides: Partial<SessionSettings> = {}): SessionBed {
    const bed = new SessionBed(overrides);
    if (phase !== 'opening') bed.session.controlOpened(0);
    if (phase === 'proven') {
      bed.held = 1;
      bed.session.answerBind(pairTunnel, { kind: 'waiting' }, 0);
    }
    if (phase === 'leaving') {
      bed.session.answerBind(pairTunnel, { kind: 'refused', reason: tunnelDownReason.notAuthorized }, 0);
    }
    if (phase === 'closed') bed.session.close(closeReason.relayShuttingDown);
    expect(bed.session.phase).toBe(phase);
    return bed;
  }
}

/** What the tests' edges ask for. */
export const bind: MessageOf<EdgeMessage, 'tunnel_bind'> = {
  type: 'tunnel_bind',
  tunnel_id: pairTunnel,
  direction: 'ingress',
  protocol: 'udp',
};
