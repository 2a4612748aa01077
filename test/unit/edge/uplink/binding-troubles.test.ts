import { describe, expect, it } from 'vitest';
import { Binding, type BindingStep } from '../../../../src/edge/uplink/binding.ts';
import type { RelayMessage } from '../../../../src/protocol/tunnel/control-message.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';

const tunnel_id = knownTunnelId('00000000-0000-4000-8000-000000000001');
const ready: RelayMessage = { type: 'tunnel_ready', tunnel_id };
const peerGone: RelayMessage = { type: 'tunnel_down', tunnel_id, reason: 'peer disconnected' };
const replaced: RelayMessage = { type: 'tunnel_down', tunnel_id, reason: 'replaced by a new connection' };

/** Ready, at a relay that forwards troubles and keeps them with the leg. */
function readyBinding(): Binding {
  const binding = new Binding(
    {
      ...{ tunnelId: tunnel_id, direction: 'egress', protocol: 'udp', bindSecret: null, requireBindProof: false },
      ...{ edgeId: 'edge-1', softwareVersion: '0.1.0' },
    },
    'take',
  );
  binding.open();
  const features = ['peer_state', 'tunnel_trouble', 'if_free'];
  binding.receive({ type: 'hello_ack', protocol_version: 2, software_version: 'x', features });
  binding.receive(ready);
  return binding;
}

const told = (steps: readonly BindingStep[]): unknown[] =>
  steps.map((step) => (step.kind === 'send' && step.message.type === 'tunnel_trouble' ? step.message.troubles : step));

describe('the troubles of this end', () => {
  it('are sent when they change, and not again', () => {
    const binding = readyBinding();
    expect(told(binding.tellTroubles([]))).toEqual([]);
    expect(told(binding.tellTroubles(['local']))).toEqual([['local']]);
    expect(told(binding.tellTroubles(['local']))).toEqual([]);
    expect(told(binding.tellTroubles([]))).toEqual([[]]);
  });

  it('that ended while the other edge was away are taken back when it returns', () => {
    const binding = readyBinding();
    binding.tellTroubles(['local']);
    binding.receive(peerGone);
    expect(told(binding.tellTroubles([]))).toEqual([]);
    binding.receive(ready);
    expect(told(binding.tellTroubles([]))).toEqual([[]]);
  });

  it('that stand are the relay’s to pass on when the other edge returns', () => {
    const binding = readyBinding();
    binding.tellTroubles(['local']);
    binding.receive(peerGone);
    binding.receive(ready);
    expect(told(binding.tellTroubles(['local']))).toEqual([]);
  });

  it('are sent anew with a leg that was another connection’s meanwhile', () => {
    const binding = readyBinding();
    binding.tellTroubles(['local']);
    binding.receive(replaced);
    binding.receive(ready);
    expect(told(binding.tellTroubles(['local']))).toEqual([['local']]);
  });
});
