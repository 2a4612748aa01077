import { describe, expect, it } from 'vitest';
import { RelayCommands, type RelayCommandsDependencies } from '../../../../src/relay/manager-link/relay-commands.ts';
import type { CommandAction } from '../../../../src/protocol/node/node-command.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';

const id = '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f';
const tokens = { ingress_token: 'i'.repeat(64), egress_token: 'e'.repeat(64) };

function start(changes: Partial<RelayCommandsDependencies['control']> = {}) {
  const calls: unknown[][] = [];
  const control: RelayCommandsDependencies['control'] = {
    authorize: async (...call) => {
      calls.push(['authorize', ...call]);
      return 'changed';
    },
    revoke: async (...call) => void calls.push(['revoke', ...call]),
    closeTunnel: (...call) => {
      calls.push(['closeTunnel', ...call]);
      return true;
    },
    disconnectEdge: (...call) => {
      calls.push(['disconnectEdge', ...call]);
      return 1;
    },
    ...changes,
  };
  const policy: RelayCommandsDependencies['policy'] = {
    authorizedTunnels: () => [{ tunnelId: knownTunnelId(id), source: 'manager', digest: 'd1' }],
  };
  const report: RelayCommandsDependencies['report'] = {
    tunnels: () => [],
    edges: () => [{ edge_id: 'e', remote_addr: '127.0.0.1:1' }],
  };
  const commands = new RelayCommands({ control, policy, report });
  return { calls, run: async (action: CommandAction) => commands.execute(action).outcome };
}

describe('the commands of a relay', () => {
  it.each([
    [undefined, undefined],
    ['camera 1', 'camera 1'],
    ['', undefined],
    [7, undefined],
    ['x'.repeat(257), undefined],
  ])('authorise with both tokens, in any spelling of the id; of %j as the name %j is kept', async (name, kept) => {
    const { calls, run } = start();
    const action = { type: 'authorize_tunnel', tunnel_id: id.toUpperCase(), ...tokens, tunnel_name: name };
    expect(await run(action)).toEqual({ success: true });
    expect(calls).toEqual([['authorize', id, { ingress: tokens.ingress_token, egress: tokens.egress_token }, kept]]);
  });

  it('take effect before anything is awaited, so that order is kept', () => {
    const { calls, run } = start();
    void run({ type: 'revoke_tunnel', tunnel_id: id });
    void run({ type: 'authorize_tunnel', tunnel_id: id, ...tokens });
    expect(calls.map(([name]) => name)).toEqual(['revoke', 'authorize']);
  });

  it('say when there is no room for another authorisation', async () => {
    const { run } = start({ authorize: async () => 'limit-reached' });
    const outcome = await run({ type: 'authorize_tunnel', tunnel_id: id, ...tokens });
    expect(outcome).toMatchObject({ success: false, error_code: 'validation_error' });
  });

  it('close a tunnel in the manager’s name', async () => {
    const { calls, run } = start();
    expect(await run({ type: 'close_tunnel', tunnel_id: id })).toEqual({ success: true });
    expect(calls).toEqual([['closeTunnel', id]]);
  });

  it('list edges and authorisations, without tokens', async () => {
    const { run } = start();
    expect(await run({ type: 'list_tunnels' })).toEqual({ success: true, data: [] });
    expect(await run({ type: 'list_edges' })).toMatchObject({ data: [{ edge_id: 'e' }] });
    expect(await run({ type: 'list_authorized' })).toEqual({
      success: true,
      data: [{ tunnel_id: id, digest: 'd1' }],
    });
  });

  it.each([
    [{ type: 'close_tunnel', tunnel_id: id }, `Tunnel '${id}' not found`, 'not_found'],
    [{ type: 'disconnect_edge', edge_id: 'x' }, "Edge 'x' is not connected", 'not_found'],
    [{ type: 'close_tunnel' }, 'Missing tunnel_id', 'validation_error'],
    [{ type: 'revoke_tunnel', tunnel_id: 'x' }, 'Invalid UUID', 'validation_error'],
    [{ type: 'disconnect_edge' }, 'Missing edge_id', 'validation_error'],
    [{ type: 'authorize_tunnel', tunnel_id: id, ingress_token: 'a' }, 'Missing egress_token', 'validation_error'],
    [{ type: 'dance' }, 'Unknown relay command: dance', 'unknown_command'],
  ])('refuse %j', async (action, error, error_code) => {
    const { run } = start({ closeTunnel: () => false, disconnectEdge: () => 0 });
    expect(await run(action)).toEqual({ success: false, error, error_code });
  });
});
