import { FleetError } from '../../../src/manager/fleet-error.ts';
import type { NodeOperations, NodeView } from '../../../src/manager/fleet.ts';
import { found, paged, refuseStale } from './fake-rows.ts';
import type { FakeState } from './fake-state.ts';
import { sampleStats } from './sample-node-stats.ts';

export function fakeNodes(state: FakeState): NodeOperations {
  return {
    page: async (query) => paged(state.nodes.values(), query),
    get: async (id) => found(state.nodes, id, 'Node'),
    create: async (input, actor) => {
      if (Array.from(state.nodes.values()).some(({ name }) => name === input.name)) {
        throw new FleetError('name_taken', `There is a node '${input.name}' already`);
      }
      const [sample] = state.nodes.values();
      if (sample === undefined) throw new TypeError('an empty fleet');
      const id = `00000005-0000-4000-8000-${String(state.nodes.size).padStart(12, '0')}`;
      const node: NodeView = {
        ...{ ...sample, id, name: input.name, kind: input.kind ?? 'edge', state: 'never', generation: 1 },
        ...{ description: input.description ?? '', region: input.region ?? null, secrets: [] },
      };
      state.note('node.create', actor);
      state.putNode(node);
      return { node, registration_token: 'canary-registration-token' };
    },
    patch: async (id, change, generation, actor) => {
      const node = found(state.nodes, id, 'Node');
      refuseStale(node.generation, generation);
      state.note('node.patch', actor);
      state.putNode({ ...node, name: change.name ?? node.name, generation: node.generation + 1 });
      return found(state.nodes, id, 'Node');
    },
    remove: async (id, force, actor) => {
      const node = found(state.nodes, id, 'Node');
      if (!force && node.legs.pushed > 0) throw new FleetError('in_use', 'Tunnels use this node');
      state.note('node.delete', actor);
      state.nodes.delete(id);
    },
    newToken: async (id, actor) => {
      found(state.nodes, id, 'Node');
      state.note('node.token', actor);
      return { registration_token: 'canary-registration-token', expires_at: state.now + 86_400_000 };
    },
    rotateSecret: async (id, _revoke, actor) => {
      state.online(id);
      state.note('node.rotate_secret', actor);
      return { outcome: 'unconfirmed' };
    },
    setDisabled: async (id, disabled, actor) => {
      const node = found(state.nodes, id, 'Node');
      state.note('node.disable', actor);
      state.putNode({ ...node, disabled_at: disabled ? state.now : null, state: disabled ? 'disabled' : 'offline' });
      return found(state.nodes, id, 'Node');
    },
    disconnect: async (id, actor) => state.asked(id, 'node.disconnect', actor),
    setDraining: async (id, _draining, actor) => {
      found(state.nodes, id, 'Node');
      state.note('node.drain', actor);
      return { moved: [], kept: [] };
    },
    stats: async (id) => {
      const node = state.nodes.get(id);
      return node?.state === 'online'
        ? { at: state.now, payload: sampleStats(node, Array.from(state.tunnels.values()), state.reports) }
        : null;
    },
    legs: async (id) => {
      found(state.nodes, id, 'Node');
      const legs = Array.from(state.tunnels.values()).flatMap((tunnel) => tunnel.legs);
      return legs.filter(({ node_id }) => node_id === id);
    },
    config: async (id) => {
      state.online(id);
      return {
        tunnels: [],
        manager: { node_secret: 'canary-node-secret', urls: ['wss://manager.example:8443/ws/node'] },
      };
    },
    reconcile: async (id, actor) => state.asked(id, 'node.reconcile', actor),
    command: async (id, action, actor) => {
      state.online(id);
      state.note(`node.command ${action.type}`, actor);
      return { success: true, data: { node_secret: 'canary-node-secret', ok: true } };
    },
  };
}
