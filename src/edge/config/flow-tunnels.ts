import type { ConfigProblem } from '../../config/config-problem.ts';
import type { FlowSettings } from '../../media/flow/flow-settings.ts';
import { tunnelsOf } from './flow-config.ts';
import type { TunnelSettings } from './tunnel-config.ts';

/** What is wrong with the flows of a config beside each other and beside its tunnels. */
export function flowProblems(flows: readonly FlowSettings[], tunnels: readonly TunnelSettings[]): ConfigProblem[] {
  return flows.flatMap((flow, index) => {
    const twice = flows.findIndex(({ id }) => id === flow.id) !== index;
    const problems = tunnelProblems(flow, flows.slice(0, index), tunnels);
    return [
      ...(twice ? [{ path: 'id', problem: 'names a flow twice', remedy: 'list each flow once' }] : []),
      ...problems,
    ].map((problem) => ({ ...problem, path: `flows[${index}].${problem.path}` }));
  });
}

/** What is wrong with the tunnels that a flow names, given the other flows. */
export function tunnelProblems(
  flow: FlowSettings,
  others: readonly FlowSettings[],
  tunnels: readonly TunnelSettings[],
): ConfigProblem[] {
  const find = (name: string): TunnelSettings | undefined => {
    return tunnels.find(({ id, name: called }) => id === name || called === name);
  };
  const taken = new Set(others.flatMap((other) => tunnelsOf(other).map(({ tunnel }) => find(tunnel)?.id)));
  return tunnelsOf(flow).flatMap(({ path, tunnel }) => {
    const found = find(tunnel);
    if (found === undefined) {
      return [{ path, problem: 'names no tunnel of this edge', remedy: 'write the id or name of one' }];
    }
    if (!found.endsInFlow) {
      const problem = `names tunnel '${found.name}', which has a local address of its own`;
      return [{ path, problem, remedy: 'write "local_addr": "flow" there' }];
    }
    if (taken.has(found.id)) {
      return [{ path, problem: `names tunnel '${found.name}' once more`, remedy: 'a tunnel carries one stream' }];
    }
    taken.add(found.id);
    return [];
  });
}
