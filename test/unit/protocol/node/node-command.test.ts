import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEdgeAction } from '../../../../src/protocol/node/edge-command.ts';
import { parseLinkAction, type CommandAction } from '../../../../src/protocol/node/node-command.ts';
import { parseRelayAction } from '../../../../src/protocol/node/relay-command.ts';
import { bindVector, vectorTunnel } from '../../../support/samples/vectors.ts';

const { ingress: ingress_token, egress: egress_token } = bindVector.token;
const tunnel_id = vectorTunnel.id;
const refused = (error: string) => ({ kind: 'refused', error, error_code: 'validation_error' });

describe('a command that every node answers', () => {
  it('is get_config or rotate_secret; others are left to the program', () => {
    const rotate = { type: 'rotate_secret', new_secret: 's3' };
    expect(parseLinkAction({ ...rotate, other: 1 })).toEqual({ kind: 'action', action: rotate });
    expect(parseLinkAction({ type: 'list_tunnels' })).toBeNull();
    expect(parseLinkAction({ type: 'hasOwnProperty' })).toBeNull();
  });

  it.each([
    [{}, 'Missing new_secret'],
    [{ new_secret: 5 }, 'Missing new_secret'],
    [{ new_secret: '' }, 'Empty new_secret'],
    [{ new_secret: 'x'.repeat(1_048_576) }, 'new_secret is longer than 4096 characters'],
  ])('refuses a rotation %# with the exact words', (fields, error) => {
    expect(parseLinkAction({ type: 'rotate_secret', ...fields })).toEqual(refused(error));
  });
});

describe("a relay's command", () => {
  const authorize = { type: 'authorize_tunnel', tunnel_id, ingress_token, egress_token };

  it.each<CommandAction>([
    authorize,
    { type: 'revoke_tunnel', tunnel_id },
    { type: 'close_tunnel', tunnel_id },
    { type: 'disconnect_edge', edge_id: 'edge-sydney-1' },
    { type: 'list_tunnels' },
    { type: 'list_edges' },
    { type: 'list_authorized' },
  ])('$type is understood, unknown fields left out', (action) => {
    expect(parseRelayAction({ ...action, extra: true })).toEqual({ kind: 'action', action });
  });

  it('names a tunnel in any spelling', () => {
    const action = { type: 'close_tunnel', tunnel_id: vectorTunnel.bytesHex.toUpperCase() };
    expect(parseRelayAction(action)).toEqual({ kind: 'action', action: { type: 'close_tunnel', tunnel_id } });
  });

  it.each<[CommandAction, string]>([
    [{ type: 'authorize_tunnel' }, 'Missing tunnel_id'],
    [{ type: 'authorize_tunnel', tunnel_id: 'nope', ingress_token, egress_token }, 'Invalid UUID'],
    [{ type: 'authorize_tunnel', tunnel_id, egress_token }, 'Missing ingress_token'],
    [{ type: 'authorize_tunnel', tunnel_id, ingress_token }, 'Missing egress_token'],
    [{ type: 'authorize_tunnel', tunnel_id, ingress_token, egress_token: 7 }, 'Missing egress_token'],
    [{ type: 'authorize_tunnel', tunnel_id, ingress_token: '', egress_token }, 'Empty ingress_token'],
    [{ type: 'revoke_tunnel' }, 'Missing tunnel_id'],
    [{ type: 'revoke_tunnel', tunnel_id: 12 }, 'Missing tunnel_id'],
    [{ type: 'revoke_tunnel', tunnel_id: '' }, 'Invalid UUID'],
    [{ type: 'close_tunnel' }, 'Missing tunnel_id'],
    [{ type: 'close_tunnel', tunnel_id: `${tunnel_id}0` }, 'Invalid UUID'],
    [{ type: 'disconnect_edge' }, 'Missing edge_id'],
  ])('is refused with the exact words: %j', (action, error) => {
    expect(parseRelayAction(action)).toEqual(refused(error));
  });

  it('of an unknown type is refused by name', () => {
    for (const type of ['dance', 'create_tunnel', 'constructor']) {
      expect(parseRelayAction({ type })).toEqual({
        kind: 'refused',
        error: `Unknown relay command: ${type}`,
        error_code: 'unknown_command',
      });
    }
  });
});

describe("an edge's command", () => {
  it.each<CommandAction>([
    { type: 'create_tunnel', tunnel: { id: tunnel_id, anything: [1] } },
    { type: 'delete_tunnel', tunnel_id },
    { type: 'list_tunnels' },
  ])('$type is understood', (action) => {
    expect(parseEdgeAction(action)).toEqual({ kind: 'action', action });
  });

  it('is refused with the exact words', () => {
    expect(parseEdgeAction({ type: 'create_tunnel' })).toEqual(refused('Missing tunnel'));
    expect(parseEdgeAction({ type: 'create_tunnel', tunnel: [] })).toEqual(refused('Missing tunnel'));
    expect(parseEdgeAction({ type: 'delete_tunnel' })).toEqual(refused('Missing tunnel_id'));
    expect(parseEdgeAction({ type: 'delete_tunnel', tunnel_id: '?' })).toEqual(refused('Invalid UUID'));
    expect(parseEdgeAction({ type: 'close_tunnel' })).toMatchObject({ error: 'Unknown edge command: close_tunnel' });
  });
});

it('no action makes a parser throw', () => {
  const names = ['tunnel_id', 'ingress_token', 'egress_token', 'edge_id', 'new_secret', 'tunnel'];
  const types = ['authorize_tunnel', 'disconnect_edge', 'rotate_secret', 'create_tunnel', '__proto__'];
  const fields = fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 2 }));
  const parsers = [parseLinkAction, parseRelayAction, parseEdgeAction];
  fc.assert(
    fc.property(fields, fc.constantFrom(...types), (values, type) => {
      for (const parse of parsers) expect(() => parse({ ...values, type })).not.toThrow();
    }),
    { numRuns: 1000 },
  );
});
