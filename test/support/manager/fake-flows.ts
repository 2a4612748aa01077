import { FleetError } from '../../../src/manager/fleet-error.ts';
import type { Actor, FlowOperations, FlowView } from '../../../src/manager/fleet.ts';
import { filterRemoved, found, paged, refuseStale } from './fake-rows.ts';
import type { FakeState } from './fake-state.ts';

export function fakeFlows(state: FakeState): FlowOperations {
  return {
    page: async (query) => paged(filterRemoved(state.flows.values(), query.removed ?? false), query),
    get: async (id) => found(state.flows, id, 'Flow'),
    create: async (input, actor) => {
      if (!state.nodes.has(input.node_id)) throw new FleetError('invalid', `Node '${input.node_id}' not found`);
      const [sample] = state.flows.values();
      if (sample === undefined) throw new TypeError('empty');
      const id = `00000007-0000-4000-8000-${String(state.flows.size).padStart(12, '0')}`;
      return putFlow(state, { ...sample, id, config: input.config, name: input.name ?? 'flow' }, 'create', actor);
    },
    patch: async (id, change, generation, actor) => {
      const flow = found(state.flows, id, 'Flow');
      refuseStale(flow.generation, generation);
      const config = change.config ?? flow.config;
      return putFlow(
        state,
        { ...flow, name: change.name ?? flow.name, config, generation: flow.generation + 1 },
        'patch',
        actor,
      );
    },
    remove: async (id, generation, actor) => {
      const flow = found(state.flows, id, 'Flow');
      refuseStale(flow.generation, generation);
      return putFlow(state, { ...flow, removed_at: state.now, removed_by: 'operator' }, 'delete', actor);
    },
    restore: async (id, actor) =>
      putFlow(state, { ...found(state.flows, id, 'Flow'), removed_at: null }, 'restore', actor),
    retry: async (id, actor) => putFlow(state, found(state.flows, id, 'Flow'), 'retry', actor),
  };
}

function putFlow(state: FakeState, flow: FlowView, action: string, actor: Actor): FlowView {
  state.note(`flow.${action}`, actor);
  state.flows.set(flow.id, flow);
  return flow;
}
