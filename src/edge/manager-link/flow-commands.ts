import { formatProblem, type ConfigProblem } from '../../config/config-problem.ts';
import type { FlowSettings } from '../../media/flow/flow-settings.ts';
import type { FlowAction } from '../../protocol/node/edge-command.ts';
import { asJsonObject } from '../../lib/json.ts';
import type { CommandOutcome } from '../../protocol/node/node-message.ts';
import { parseFlow, parseOutput } from '../config/flow-config.ts';
import { tunnelProblems } from '../config/flow-tunnels.ts';
import type { Edge } from '../edge.ts';
import { storedChange } from './stored-change.ts';
import type { StoredEntries, StoredEntry } from './stored-entries.ts';

export interface FlowCommandsDependencies {
  readonly edge: Pick<Edge, 'flows' | 'tunnels' | 'events'>;
  readonly stored: StoredEntries;
}

const done: CommandOutcome = { success: true };

/** The commands of a manager about media flows (docs/media-flows.md). A change is on disk before it takes effect. */
export class FlowCommands {
  readonly #dependencies: FlowCommandsDependencies;

  constructor(dependencies: FlowCommandsDependencies) {
    this.#dependencies = dependencies;
  }

  async execute(action: FlowAction): Promise<CommandOutcome> {
    switch (action.type) {
      case 'create_flow':
        return this.#create(action.flow);
      case 'update_flow':
        return this.#put({ id: action.flow_id, ...action.flow });
      case 'delete_flow':
        return this.#delete(action.flow_id);
      case 'start_flow':
        return this.#change(action.flow_id, (entry) => ({ ...entry, enabled: true }));
      case 'stop_flow':
        return this.#change(action.flow_id, (entry) => ({ ...entry, enabled: false }));
      case 'restart_flow':
        return this.#restart(action.flow_id);
      case 'add_output':
        return this.#addOutput(action.flow_id, action.output);
      case 'remove_output':
        return this.#change(action.flow_id, (entry) => ({
          ...entry,
          outputs: outputsOf(entry).filter((output) => idOf(output) !== action.output_id),
        }));
    }
  }

  async #create(entry: StoredEntry): Promise<CommandOutcome> {
    const id = idOf(entry);
    const found = this.#dependencies.edge.flows.list().find((flow) => flow.id === id);
    const parsed = parseFlow(entry);
    // A manager may repeat a command of which it has not seen the ack.
    if (found !== undefined && parsed.kind === 'valid' && JSON.stringify(parsed.flow) === JSON.stringify(found))
      return done;
    if (found !== undefined) return refused(`flow '${found.id}' is there already`);
    return this.#put(entry);
  }

  async #put(entry: StoredEntry): Promise<CommandOutcome> {
    const parsed = parseFlow(entry);
    if (parsed.kind === 'invalid') return invalid(parsed.problems);
    const { flow } = parsed;
    const { edge, stored } = this.#dependencies;
    const others = edge.flows.list().filter(({ id }) => id !== flow.id);
    const problems = tunnelProblems(flow, others, edge.tunnels());
    if (problems.length > 0) return invalid(problems);
    return storedChange(
      edge,
      () => stored.put(flow.id, asJsonObject(entry) ?? entry),
      (previous) => this.#apply(flow, previous),
    );
  }

  /** A flow that cannot start is not kept: the file is as before. */
  async #apply(flow: FlowSettings, previous: StoredEntry | null): Promise<CommandOutcome> {
    const { edge, stored } = this.#dependencies;
    const outcome = await edge.flows.put(flow);
    if (outcome.kind !== 'failed') return done;
    if (previous === null) await stored.remove(flow.id);
    else await stored.put(flow.id, previous);
    const error = `Flow '${flow.id}' failed to start: ${outcome.error}`;
    return { success: false, error, error_code: 'port_conflict' };
  }

  async #delete(id: string): Promise<CommandOutcome> {
    const { edge, stored } = this.#dependencies;
    if (!edge.flows.list().some((flow) => flow.id === id)) return done;
    return storedChange(
      edge,
      () => stored.remove(id),
      async () => {
        await edge.flows.remove(id);
        return done;
      },
    );
  }

  async #restart(id: string): Promise<CommandOutcome> {
    const changed = await this.#change(id, (entry) => ({ ...entry, enabled: true }));
    if (!changed.success) return changed;
    const outcome = await this.#dependencies.edge.flows.restart(id);
    if (outcome === null) return unknownFlow(id);
    return outcome.kind === 'failed' ? refused(outcome.error) : done;
  }

  async #addOutput(flowId: string, output: StoredEntry): Promise<CommandOutcome> {
    const parsed = parseOutput(output);
    if (parsed.kind === 'invalid') return invalid(parsed.problems);
    return this.#change(flowId, (entry) => ({
      ...entry,
      outputs: [...outputsOf(entry).filter((each) => idOf(each) !== parsed.output.id), output],
    }));
  }

  /** Changes the flow as it is written, and with it what runs. */
  async #change(id: string, change: (entry: StoredEntry) => StoredEntry): Promise<CommandOutcome> {
    const entry = await this.#dependencies.stored.find(id);
    return entry === null ? unknownFlow(id) : this.#put(change(entry));
  }
}

function outputsOf(entry: StoredEntry): readonly unknown[] {
  return Array.isArray(entry['outputs']) ? (entry['outputs'] as unknown[]) : [];
}

function idOf(entry: unknown): unknown {
  return asJsonObject(entry)?.['id'];
}

function unknownFlow(id: string): CommandOutcome {
  return { success: false, error: `Unknown flow: ${id.slice(0, 64)}`, error_code: 'not_found' };
}

function refused(error: string): CommandOutcome {
  return { success: false, error, error_code: 'validation_error' };
}

function invalid(problems: readonly ConfigProblem[]): CommandOutcome {
  return refused(problems.map(formatProblem).join('. '));
}
