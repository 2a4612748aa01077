import { describe, expect, it } from 'vitest';
import type { EdgeMessage, ParsedMessage } from '../../../../src/protocol/tunnel/control-message.ts';
import { closeReason } from '../../../../src/protocol/tunnel/close-code.ts';
import { tunnelDownReason } from '../../../../src/protocol/tunnel/tunnel-down-reason.ts';
import type { SessionAction } from '../../../../src/relay/session/session-action.ts';
import type { SessionPhase } from '../../../../src/relay/session/session.ts';
import { pairTunnel as id } from '../../../support/programs/relay-pair.ts';
import { bind, remoteAddr, SessionBed as Bed } from '../../../support/programs/session-bed.ts';

const phases: readonly SessionPhase[] = ['opening', 'unproven', 'proven', 'leaving', 'closed'];
const live: readonly SessionPhase[] = ['unproven', 'proven', 'leaving'];

const inputs: Readonly<Record<string, ParsedMessage<EdgeMessage>>> = {
  hello: { kind: 'message', message: { type: 'hello', protocol_version: 2, software_version: 'x', features: [] } },
  identify: { kind: 'message', message: { type: 'identify', edge_id: 'edge-1' } },
  tunnel_bind: { kind: 'message', message: bind },
  tunnel_unbind: { kind: 'message', message: { type: 'tunnel_unbind', tunnel_id: id } },
  ping: { kind: 'message', message: { type: 'ping' } },
  unknown: { kind: 'unknown', type: 'tunnel_dance' },
  malformed: { kind: 'malformed', reason: 'hello: protocol_version' },
};

/** What each input does while the session lives; it does nothing before and after. */
const answers: Readonly<Record<string, unknown[]>> = {
  hello: [
    {
      kind: 'send',
      message: {
        type: 'hello_ack',
        protocol_version: 2,
        software_version: '1.2.3',
        features: ['peer_state', 'bind_proof', 'tunnel_trouble', 'if_free'],
        bind_challenge: 'challenge',
      },
    },
  ],
  identify: [],
  tunnel_bind: [{ kind: 'bind', message: bind }],
  tunnel_unbind: [{ kind: 'unbind', tunnelId: id }],
  ping: [{ kind: 'send', message: { type: 'pong' } }],
  unknown: [{ kind: 'note', what: 'unknown type tunnel_dance' }],
  malformed: [{ kind: 'note', what: 'hello: protocol_version' }],
};

describe('every message in every phase', () => {
  for (const phase of phases) {
    for (const [name, input] of Object.entries(inputs)) {
      const expected = live.includes(phase) ? answers[name] : [];
      it(`${phase}: ${name} gives ${JSON.stringify(expected?.map((action) => (action as SessionAction).kind))}`, () => {
        const bed = Bed.in(phase);
        expect(bed.session.receive(input, 0)).toEqual(expected);
        expect(bed.session.phase).toBe(phase);
      });
    }
  }
});

function down(reason: string): unknown {
  return { kind: 'send', message: { type: 'tunnel_down', tunnel_id: id, reason } };
}

function send(type: string): unknown {
  return { kind: 'send', message: { type, tunnel_id: id } };
}

describe('every answer to a bind in every phase', () => {
  it.each(['opening', 'closed'] as const)('%s: none has an effect', (phase) => {
    const bed = Bed.in(phase);
    for (const kind of ['ready', 'waiting'] as const) expect(bed.session.answerBind(id, { kind }, 0)).toEqual([]);
    const refused = { kind: 'refused', reason: tunnelDownReason.legHeld } as const;
    expect(bed.session.answerBind(id, refused, 0)).toEqual([]);
  });

  it.each(live)('%s: a success is told, and proves the edge once', (phase) => {
    const bed = Bed.in(phase);
    const first = phase === 'proven' ? [] : [{ kind: 'prove' }];
    expect(bed.session.answerBind(id, { kind: 'ready' }, 0)).toEqual([...first, send('tunnel_ready')]);
    expect(bed.session.answerBind(id, { kind: 'waiting' }, 0)).toEqual([send('tunnel_waiting')]);
    expect(bed.session.phase).toBe('proven');
  });

  it.each(live)('%s: a refusal is told, and lets go of an edge that holds nothing', (phase) => {
    const bed = Bed.in(phase);
    const refused = { kind: 'refused', reason: tunnelDownReason.legHeld } as const;
    expect(bed.session.answerBind(id, refused, 100)).toEqual([down('leg held by a live edge')]);
    expect(bed.session.phase).toBe(phase === 'proven' ? 'proven' : 'leaving');
  });
});

describe('every notice in every phase', () => {
  const notices = [
    [{ kind: 'peer-ready', tunnelId: id, first: true } as const, send('tunnel_ready'), send('tunnel_ready')],
    [{ kind: 'peer-ready', tunnelId: id, first: false } as const, null, send('tunnel_ready')],
    [
      { kind: 'peer-gone', tunnelId: id, reason: tunnelDownReason.peerDisconnected } as const,
      null,
      down('peer disconnected'),
    ],
    [
      { kind: 'replaced', tunnelId: id } as const,
      down('replaced by a new connection'),
      down('replaced by a new connection'),
    ],
    [
      { kind: 'ended', tunnelId: id, reason: tunnelDownReason.revoked } as const,
      down('tunnel revoked'),
      down('tunnel revoked'),
    ],
  ] as const;

  for (const phase of phases) {
    it.each(notices)(`${phase}: %j`, (notice, plain, withPeerState) => {
      const isLive = live.includes(phase);
      expect(Bed.in(phase).session.notice(notice, 0)).toEqual(plain === null || !isLive ? [] : [plain]);
      const bed = Bed.in(phase);
      bed.hello(['peer_state']);
      expect(bed.session.notice(notice, 0)).toEqual(isLive ? [withPeerState] : []);
    });
  }

  it('of a replacement leaves the connection open, though it holds nothing any more', () => {
    const bed = Bed.in('proven');
    bed.held = 0;
    bed.session.notice({ kind: 'replaced', tunnelId: id }, 0);
    expect([bed.session.phase, bed.session.deadlineMs]).toEqual(['proven', null]);
  });

  it('of the end of its only tunnel closes the connection 500 ms later', () => {
    const bed = Bed.in('proven');
    bed.held = 0;
    bed.session.notice({ kind: 'ended', tunnelId: id, reason: tunnelDownReason.closedByManager }, 1000);
    expect(bed.session.deadlineMs).toBe(1500);
    expect(bed.session.tick(1500)).toEqual([{ kind: 'close', reason: 'tunnel ended' }]);
  });
});

describe('the end of the control stream', () => {
  it.each([
    ['opening', 'finished', null],
    ['unproven', 'finished', 'control stream ended'],
    ['proven', 'finished', null],
    ['leaving', 'finished', null],
    ['closed', 'finished', null],
    ['unproven', 'inside a frame', 'control stream ended'],
    ['proven', 'inside a frame', 'control stream ended'],
    ['leaving', 'reset', 'control stream ended'],
    ['proven', 'reset', 'control stream ended'],
    ['proven', 'oversize frame', 'control frame too large'],
    ['unproven', 'oversize frame', 'control frame too large'],
  ] as const)('%s: %s closes the connection with %j', (phase, how, reason) => {
    expect(Bed.in(phase).session.controlEnded(how)).toEqual(reason === null ? [] : [{ kind: 'close', reason }]);
  });
});

describe('the versions', () => {
  it('differ without harm: the relay tells once, and answers with its own', () => {
    const bed = Bed.in('unproven');
    const kinds = bed.hello([], 1).map((action) => action.kind);
    expect(kinds).toEqual(['raise', 'send']);
    expect(bed.hello([], 1).map((action) => action.kind)).toEqual(['send']);
    expect(bed.session.protocolVersion).toBe(1);
    expect(bed.session.softwareVersion).toBe('x');
  });

  it.each([
    ['a lower one', 1],
    ['none', null],
  ] as const)('below the minimum are refused: %s', (_, version) => {
    const bed = Bed.in('unproven', { minProtocolVersion: 2 });
    if (version !== null) bed.hello([], version);
    const reason = tunnelDownReason.protocolVersionTooOld;
    expect(bed.tell(bind)).toEqual([{ kind: 'note-refusal', message: bind, reason }, down(reason)]);
    expect(bed.session.tick(500)).toEqual([{ kind: 'close', reason: 'protocol version too old' }]);
  });
});

describe('a session', () => {
  it('raises connected once, and disconnected or failed at its end', () => {
    const bed = new Bed();
    expect(bed.session.controlOpened(0)).toEqual([{ kind: 'raise', event: { kind: 'edge-connected', remoteAddr } }]);
    expect(bed.session.controlOpened(0)).toEqual([]);
    expect(bed.session.connectionClosed('gone')).toEqual([
      { kind: 'raise', event: { kind: 'edge-disconnected', remoteAddr, reason: 'gone' } },
    ]);
    expect(new Bed().session.connectionClosed('gone')).toEqual([
      { kind: 'raise', event: { kind: 'edge-connection-failed', remoteAddr, reason: 'gone' } },
    ]);
  });

  it('is known by the name that it gave last', () => {
    const bed = Bed.in('unproven');
    bed.tell({ type: 'identify', edge_id: 'a' });
    bed.tell({ type: 'identify', edge_id: 'b' });
    expect(bed.session.edgeId).toBe('b');
  });

  it('does not hear that it waits when waiting edges are to be held, unless it stays by itself', () => {
    const bed = Bed.in('unproven', { holdWaitingEdges: true });
    expect(bed.session.answerBind(id, { kind: 'waiting' }, 0)).toEqual([{ kind: 'prove' }]);
    bed.hello(['peer_state']);
    expect(bed.session.answerBind(id, { kind: 'waiting' }, 0)).toEqual([send('tunnel_waiting')]);
  });

  it('takes a bind that was put off, unless it is over', () => {
    expect(Bed.in('unproven').session.takesBinds).toBe(true);
    expect(Bed.in('closed').session.takesBinds).toBe(false);
  });

  it('gets no answer to a bind while the relay stops', () => {
    const bed = Bed.in('unproven');
    bed.session.drain();
    const note = { kind: 'note', what: 'bind while shutting down' };
    expect(bed.tell(bind)).toEqual([note]);
    expect(bed.session.takesBinds).toBe(false);
  });

  it('closes once', () => {
    const bed = Bed.in('proven');
    const reason = closeReason.disconnectedByManager;
    expect([bed.session.close(reason), bed.session.close(reason)]).toEqual([[{ kind: 'close', reason }], []]);
  });
});
