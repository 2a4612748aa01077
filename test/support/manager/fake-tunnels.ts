import { FleetError } from '../../../src/manager/fleet-error.ts';
import type { Actor, TunnelOperations, TunnelView } from '../../../src/manager/fleet.ts';
import { filterRemoved, found, paged, refuseStale } from './fake-rows.ts';
import type { FakeState } from './fake-state.ts';

export function fakeTunnels(state: FakeState): TunnelOperations {
  return {
    page: async (query) => paged(filterRemoved(state.tunnels.values(), query.removed ?? false), query),
    get: async (id) => found(state.tunnels, id, 'Tunnel'),
    create: async (input, actor) => {
      const [sample] = state.tunnels.values();
      if (sample === undefined) throw new TypeError('an empty fleet');
      for (const id of [input.source.node_id, input.destination.node_id]) {
        if (!state.nodes.has(id)) throw new FleetError('invalid', `Node '${id}' not found`);
      }
      state.note('tunnel.create', actor);
      const id = input.id ?? `00000006-0000-4000-8000-${String(state.tunnels.size).padStart(12, '0')}`;
      state.putTunnel({ ...sample, id, name: input.name, generation: 1, status: 'pending' });
      return { tunnel: found(state.tunnels, id, 'Tunnel'), warnings: [] };
    },
    patch: async (id, change, generation, actor) => {
      const tunnel = found(state.tunnels, id, 'Tunnel');
      refuseStale(tunnel.generation, generation);
      state.note('tunnel.patch', actor);
      state.putTunnel({ ...tunnel, name: change.name ?? tunnel.name, generation: tunnel.generation + 1 });
      return { tunnel: found(state.tunnels, id, 'Tunnel'), warnings: [] };
    },
    remove: async (id, generation, actor) => {
      const tunnel = found(state.tunnels, id, 'Tunnel');
      refuseStale(tunnel.generation, generation);
      state.note('tunnel.delete', actor);
      state.putTunnel({ ...tunnel, removed_at: state.now, removed_by: 'operator', status: 'removed' });
      return found(state.tunnels, id, 'Tunnel');
    },
    restore: async (id, actor) => {
      changeTunnel(state, id, { removed_at: null, removed_by: null, status: 'pending' }, 'restore', actor);
      return { tunnel: found(state.tunnels, id, 'Tunnel'), warnings: [] };
    },
    pause: async (id, actor) => changeTunnel(state, id, { paused_at: state.now, status: 'paused' }, 'pause', actor),
    resume: async (id, actor) => changeTunnel(state, id, { paused_at: null, status: 'pending' }, 'resume', actor),
    retry: async (id, actor) => changeTunnel(state, id, {}, 'retry', actor),
    rotateKeys: async (id, actor) => changeTunnel(state, id, { keys_created_at: state.now }, 'rotate_keys', actor),
    keys: async (id, actor) => {
      changeTunnel(state, id, {}, 'keys', actor);
      return { encryption_key: 'canary-encryption-key', bind_secret: 'canary-bind-secret' };
    },
    why: async (id) => {
      const { push_error, name } = found(state.tunnels, id, 'Tunnel');
      return push_error === null
        ? [{ level: 'good', text: 'Both sides are bound and traffic flows.', remedy: null, node_id: null }]
        : [
            {
              level: 'problem',
              text: `The source refuses ${name}: ${push_error}`,
              remedy: 'Choose another port.',
              node_id: null,
            },
          ];
    },
  };
}

function changeTunnel(
  state: FakeState,
  id: string,
  change: Partial<TunnelView>,
  action: string,
  actor: Actor,
): TunnelView {
  const tunnel = found(state.tunnels, id, 'Tunnel');
  state.note(`tunnel.${action}`, actor);
  state.putTunnel({ ...tunnel, ...change });
  return found(state.tunnels, id, 'Tunnel');
}
