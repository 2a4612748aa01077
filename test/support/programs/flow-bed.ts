import type { FlowStatsReport } from '../../../src/edge/admin/flow-schemas.ts';
import { readJsonFile } from '../../../src/config/json-file.ts';
import type { EdgeProgram } from '../../../src/edge/edge-program.ts';
import type { CommandAck, ManagedNode } from '../peers/managed-node.ts';
import { TestManager } from '../peers/test-manager.ts';
import { until } from '../until.ts';
import { startManagedEdge } from './managed-programs.ts';
import type { ConfigKeys, RunningProgram } from './running-programs.ts';

/** An edge program with a REST API and a manager that orders its flows. */
export class FlowBed implements AsyncDisposable {
  readonly manager: TestManager;
  readonly node: ManagedNode;
  readonly program: RunningProgram & EdgeProgram;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    stack: AsyncDisposableStack,
    parts: { manager: TestManager; node: ManagedNode; program: RunningProgram & EdgeProgram },
  ) {
    this.#stack = stack;
    this.manager = parts.manager;
    this.node = parts.node;
    this.program = parts.program;
  }

  static async open(config: ConfigKeys = {}): Promise<FlowBed> {
    await using opening = new AsyncDisposableStack();
    const manager = opening.use(await TestManager.start());
    const keys = { api_addr: '127.0.0.1:0', ...config };
    const program = opening.use(await startManagedEdge({ manager, nodeId: 'edge', config: keys }));
    const node = await manager.nodeOnline();
    return new FlowBed(opening.move(), { manager, node, program });
  }

  /** `http://ip:port` of the edge's API. */
  get url(): string {
    return `http://${this.program.apiAddresses[0] ?? ''}`;
  }

  command(action: Readonly<Record<string, unknown>>): Promise<CommandAck> {
    return this.node.command(action);
  }

  /** Creates a flow, and returns the port that its input listens on. */
  async create(flow: Readonly<Record<string, unknown>> & { readonly id: string }): Promise<number> {
    const ack = await this.command({ type: 'create_flow', flow: { name: flow.id, ...flow } });
    if (!ack.success) throw new Error(ack.error);
    return this.inputPort(flow.id);
  }

  async inputPort(id: string): Promise<number> {
    const { local_addr: address = '' } = (await this.running(id)).input ?? {};
    return Number(address.split(':').at(-1));
  }

  /** The flow's statistics, once the worker has reported them. */
  running(id: string): Promise<FlowStatsReport> {
    return until(
      async () => {
        const flow = await this.flow(id);
        return flow?.input === null ? null : flow;
      },
      { what: `a report of flow ${id}` },
    );
  }

  async flow(id: string): Promise<FlowStatsReport | undefined> {
    const answer = await fetch(`${this.url}/api/v1/flows`);
    const flows = (await answer.json()) as FlowStatsReport[];
    return flows.find(({ flow_id }) => flow_id === id);
  }

  /** The `flows` of edge.json as they are on disk now. */
  async stored(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const content = (await readJsonFile(this.program.configPath)) as { flows?: Record<string, unknown>[] };
    return content.flows ?? [];
  }

  /** Messages of all events of a flow, in order. */
  messages(flowId: string): string[] {
    return this.manager.events
      .filter(({ payload }) => payload.flow_id === flowId)
      .map(({ payload }) => payload.message);
  }

  /** Waits for an event of a flow, and returns its details. */
  async event(flowId: string, message: string): Promise<Readonly<Record<string, unknown>>> {
    const found = await until(
      () => this.manager.events.find(({ payload }) => payload.flow_id === flowId && payload.message === message),
      { what: `${message}; seen: ${this.messages(flowId).join(' | ')}` },
    );
    return found.payload.details ?? {};
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
