import { describe, expect, it } from 'vitest';
import {
  Binding,
  type BindingPhase,
  type BindingSettings,
  type BindingStep,
  type BindManner,
} from '../../../../src/edge/uplink/binding.ts';
import type { RelayMessage } from '../../../../src/protocol/tunnel/control-message.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';
import { bindVector, vectorTunnel } from '../../../support/samples/vectors.ts';

const tunnelId = knownTunnelId(vectorTunnel.id);
const otherId = knownTunnelId('00000000-0000-4000-8000-000000000001');
const settings: BindingSettings = {
  tunnelId,
  direction: 'egress',
  protocol: 'udp',
  bindSecret: bindVector.secret,
  requireBindProof: false,
  edgeId: 'edge-1',
  softwareVersion: '0.1.0',
};
const helloAck: RelayMessage = { type: 'hello_ack', protocol_version: 2, software_version: 'x', features: [] };
const helloAckWithChallenge: RelayMessage = { ...helloAck, bind_challenge: bindVector.challenge };
const ready: RelayMessage = { type: 'tunnel_ready', tunnel_id: tunnelId };
const waiting: RelayMessage = { type: 'tunnel_waiting', tunnel_id: tunnelId };
const down = (reason: string): RelayMessage => ({ type: 'tunnel_down', tunnel_id: tunnelId, reason });
const bind = { type: 'tunnel_bind', tunnel_id: tunnelId, direction: 'egress', protocol: 'udp' };

/** A binding brought into a phase by messages that a relay may send. */
function bindingIn(phase: BindingPhase, changes: Partial<BindingSettings> = {}): Binding {
  const ways: Record<BindingPhase, readonly RelayMessage[]> = {
    greeting: [],
    binding: [helloAck],
    waiting: [helloAck, waiting],
    ready: [helloAck, ready],
    replaced: [helloAck, ready, down('replaced by a new connection')],
    over: [helloAck, down('bind authentication failed')],
  };
  const binding = new Binding({ ...settings, ...changes }, 'take');
  binding.open();
  for (const message of ways[phase]) binding.receive(message);
  expect(binding.phase).toBe(phase);
  return binding;
}

const tell = (steps: readonly BindingStep[]): unknown[] =>
  steps.map((step) => ('message' in step ? step.message : step));

describe('the start of a binding', () => {
  it('sends hello with our features, then identify, and waits for a challenge', () => {
    expect(tell(new Binding(settings, 'take').open())).toEqual([
      {
        type: 'hello',
        protocol_version: 2,
        software_version: '0.1.0',
        features: ['peer_state', 'bind_proof', 'tunnel_trouble'],
      },
      { type: 'identify', edge_id: 'edge-1' },
      { kind: 'await-hello-ack' },
    ]);
  });

  it('waits for nothing without a secret', () => {
    const binding = new Binding({ ...settings, bindSecret: null }, 'take');
    expect(tell(binding.open()).slice(2)).toEqual([bind]);
    expect(binding.phase).toBe('binding');
  });

  it.each(['ingress', 'egress'] as const)('answers a challenge with the proof of the contract for %s', (direction) => {
    const binding = bindingIn('greeting', { direction });
    expect(tell(binding.receive(helloAckWithChallenge))).toEqual([
      { ...bind, direction, bind_proof: bindVector.proof[direction] },
    ]);
  });

  it.each([
    ['a relay that offers no challenge', (binding: Binding) => binding.receive(helloAck)],
    ['an old relay that answers nothing', (binding: Binding) => binding.helloAckOverdue()],
  ])('sends the token to %s', (_name, act) => {
    expect(tell(act(bindingIn('greeting')))).toEqual([{ ...bind, bind_token: bindVector.token.egress }]);
  });

  it.each([
    ['offers no challenge', (binding: Binding) => binding.receive(helloAck)],
    ['answers nothing', (binding: Binding) => binding.helloAckOverdue()],
  ])('never sends the token when proof is required and the relay %s', (_name, act) => {
    const binding = bindingIn('greeting', { requireBindProof: true });
    expect(act(binding)).toEqual([{ kind: 'no-challenge' }]);
    expect(binding.phase).toBe('over');
  });

  it('binds once, whatever else answers to hello', () => {
    const binding = bindingIn('binding');
    expect(binding.receive(helloAckWithChallenge)).toEqual([]);
    expect(binding.helloAckOverdue()).toEqual([]);
  });
});

describe('a relay message', () => {
  type Expected = readonly [BindingPhase, ...BindingStep[]];
  const same = (phase: BindingPhase): Expected => [phase];
  const present: BindingStep = { kind: 'bound', peer: 'present' };
  const absent: BindingStep = { kind: 'bound', peer: 'absent' };
  const replaced: BindingStep = { kind: 'replaced', reason: 'replaced by a new connection', canClaim: false };
  const over = (kind: 'refused' | 'ended', reason: string): Expected => ['over', { kind, reason }];

  const cases: readonly [string, RelayMessage, Record<BindingPhase, Expected>][] = [
    [
      'tunnel_ready',
      ready,
      {
        greeting: same('greeting'),
        binding: ['ready', present],
        waiting: ['ready', present],
        ready: same('ready'),
        replaced: ['ready', present],
        over: same('over'),
      },
    ],
    [
      'tunnel_waiting',
      waiting,
      {
        greeting: same('greeting'),
        binding: ['waiting', absent],
        waiting: same('waiting'),
        ready: same('ready'),
        replaced: same('replaced'),
        over: same('over'),
      },
    ],
    [
      'tunnel_down: the peer went',
      down('peer disconnected'),
      {
        greeting: same('greeting'),
        binding: ['waiting', absent],
        waiting: same('waiting'),
        ready: ['waiting', { kind: 'peer-gone', reason: 'peer disconnected' }],
        replaced: same('replaced'),
        over: same('over'),
      },
    ],
    [
      'tunnel_down: replaced',
      down('replaced by a new connection'),
      {
        greeting: over('refused', 'replaced by a new connection'),
        binding: ['replaced', replaced],
        waiting: ['replaced', replaced],
        ready: ['replaced', replaced],
        replaced: same('replaced'),
        over: same('over'),
      },
    ],
    [
      'tunnel_down: any other reason',
      down('tunnel closed by manager'),
      {
        greeting: over('refused', 'tunnel closed by manager'),
        binding: over('refused', 'tunnel closed by manager'),
        waiting: over('ended', 'tunnel closed by manager'),
        ready: over('ended', 'tunnel closed by manager'),
        replaced: over('ended', 'tunnel closed by manager'),
        over: same('over'),
      },
    ],
    [
      'pong',
      { type: 'pong' },
      {
        greeting: same('greeting'),
        binding: same('binding'),
        waiting: same('waiting'),
        ready: same('ready'),
        replaced: same('replaced'),
        over: same('over'),
      },
    ],
  ];
  const every = cases.flatMap(([name, message, outcomes]) =>
    (Object.keys(outcomes) as BindingPhase[]).map((phase) => ({ name, message, phase, expected: outcomes[phase] })),
  );

  it.each(every)('$name in phase $phase', ({ message, phase, expected }) => {
    const binding = bindingIn(phase);
    const [next, ...steps] = expected;
    expect(binding.receive(message)).toEqual(steps);
    expect(binding.phase).toBe(next);
  });

  it('about another tunnel changes nothing', () => {
    const binding = bindingIn('ready');
    expect(binding.receive({ type: 'tunnel_down', tunnel_id: otherId, reason: 'tunnel revoked' })).toEqual([]);
    expect(binding.phase).toBe('ready');
  });

  it('lets the peer come and go any number of times', () => {
    const binding = bindingIn('ready');
    for (let i = 0; i < 3; i++) {
      expect(binding.receive(down('peer unbound'))).toEqual([{ kind: 'peer-gone', reason: 'peer unbound' }]);
      expect(binding.receive(ready)).toEqual([present]);
    }
  });
});

describe('a leg that another connection has', () => {
  const ack: RelayMessage = { ...helloAckWithChallenge, features: ['if_free'] };
  const proved = { ...bind, bind_proof: bindVector.proof.egress };
  const claim = { ...proved, if_free: true };

  function opened(manner: BindManner, first: RelayMessage, changes: Partial<BindingSettings> = {}): Binding {
    const binding = new Binding({ ...settings, ...changes }, manner);
    binding.open();
    binding.receive(first);
    return binding;
  }

  it('is asked for without taking it, as often as the clock says, until it is free', () => {
    const binding = opened('take', ack);
    binding.receive(ready);
    const reason = 'replaced by a new connection';
    expect(binding.receive(down(reason))).toEqual([{ kind: 'replaced', reason, canClaim: true }]);
    for (let times = 0; times < 3; times++) {
      expect(tell(binding.claim())).toEqual([claim]);
      expect(binding.receive(down('leg held by a live edge'))).toEqual([]);
      expect(binding.phase).toBe('replaced');
    }
    expect(binding.receive(waiting)).toEqual([{ kind: 'bound', peer: 'absent' }]);
    expect(binding.claim()).toEqual([]);
  });

  it('is not taken by the first bind of the next connection either', () => {
    const binding = new Binding({ ...settings, bindSecret: null }, 'if-free');
    expect(tell(binding.open()).at(-1)).toEqual({ kind: 'await-hello-ack' });
    expect(tell(binding.receive(ack))).toEqual([{ ...bind, if_free: true }]);
    const reason = 'leg held by a live edge';
    expect(binding.receive(down(reason))).toEqual([{ kind: 'taken', reason }]);
    expect(binding.held).toBe(false);
    expect(binding.receive(ready)).toEqual([{ kind: 'bound', peer: 'present' }]);
    expect(binding.held).toBe(true);
  });

  it('is never claimed from a relay that would take it from the other edge', () => {
    const binding = opened('take', helloAckWithChallenge);
    const reason = 'replaced by a new connection';
    expect(binding.receive(down(reason))).toEqual([{ kind: 'replaced', reason, canClaim: false }]);
    expect(binding.claim()).toEqual([]);
    expect(binding.receive(waiting)).toEqual([]);
  });

  it('ends with the authorisation: a refusal of a revoked tunnel is taken', () => {
    const binding = opened('take', ack);
    binding.receive(ready);
    binding.receive(down('replaced by a new connection'));
    binding.claim();
    expect(binding.receive(down('tunnel revoked'))).toEqual([{ kind: 'ended', reason: 'tunnel revoked' }]);
  });

  it('is a refusal like any other for a bind that would have taken it', () => {
    const binding = opened('take', ack);
    const reason = 'leg held by a live edge';
    expect(binding.receive(down(reason))).toEqual([{ kind: 'refused', reason }]);
  });
});
