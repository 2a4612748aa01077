import { AppError, errorMessage } from '../../lib/app-error.ts';
import type { FlowPartDependencies } from './flow-part.ts';
import type { HostMessage, HostOrder, HostQuestion } from './host-message.ts';
import { refusedOffer, type OfferOutcome } from './offer-taker.ts';
import { RunningFlow } from './running-flow.ts';

export interface FlowHostDependencies extends Omit<FlowPartDependencies, 'report' | 'requestKeyFrame'> {
  readonly say: (message: HostMessage) => void;
  /** How long packets may lie unread in the sockets of all flows, after each order. */
  readonly onPatience: (ms: number) => void;
}

/** The flows of one worker. Orders of one flow must come one after the other. */
export class FlowHost {
  readonly #dependencies: FlowHostDependencies;
  readonly #flows = new Map<string, RunningFlow>();

  constructor(dependencies: FlowHostDependencies) {
    this.#dependencies = dependencies;
  }

  async take(id: number, order: HostOrder): Promise<void> {
    let error: string | null = null;
    try {
      await this.#carryOut(order);
    } catch (cause) {
      error = errorMessage(cause);
    }
    const { say, onPatience } = this.#dependencies;
    onPatience(Math.min(...[...this.#flows.values()].map(({ patienceMs }) => patienceMs)));
    say({ kind: 'answer', id, error });
  }

  async answer(id: number, question: HostQuestion): Promise<void> {
    const { flowId, outputId } = question.door;
    const taker = this.#flows.get(flowId)?.offerTaker(outputId) ?? null;
    let outcome: OfferOutcome | boolean;
    if (question.kind === 'hang-up') outcome = (await taker?.hangUp(question.sessionId)) ?? false;
    else outcome = (await taker?.offer(question.sdp)) ?? refusedOffer(503, 'the flow does not run');
    this.#dependencies.say({ kind: 'outcome', id, outcome });
  }

  /** Sends a report of every flow. */
  report(): void {
    const { pulse, say } = this.#dependencies;
    const { nowUs } = pulse;
    say({ kind: 'reports', reports: [...this.#flows.values()].map((flow) => flow.report(nowUs)) });
  }

  async #carryOut(order: HostOrder): Promise<void> {
    switch (order.kind) {
      case 'start-flow': {
        const { flow: settings } = order;
        const flow = new RunningFlow(
          {
            ...this.#dependencies,
            report: (event) => this.#dependencies.say({ kind: 'event', flowId: settings.id, event }),
          },
          settings,
        );
        await flow.start();
        this.#flows.set(flow.id, flow);
        return;
      }
      case 'stop-flow':
        await this.#flow(order.flowId).stop();
        this.#flows.delete(order.flowId);
        return;
      case 'add-output':
        await this.#flow(order.flowId).addOutput(order.output);
        return;
      case 'remove-output':
        await this.#flow(order.flowId).removeOutput(order.outputId);
        return;
      case 'stop':
        await Promise.all([...this.#flows.values()].map((flow) => flow.stop()));
        this.#flows.clear();
    }
  }

  #flow(id: string): RunningFlow {
    const flow = this.#flows.get(id);
    if (flow === undefined) throw new AppError('input-invalid', `flow '${id}' does not run`);
    return flow;
  }
}
