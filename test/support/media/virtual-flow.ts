import { formatProblem } from '../../../src/config/config-problem.ts';
import { parseFlow } from '../../../src/edge/config/flow-config.ts';
import type { MediaEvent } from '../../../src/media/flow/flow-event.ts';
import type { FlowInputDependencies } from '../../../src/media/flow/flow-part.ts';
import type { FlowSettings } from '../../../src/media/flow/flow-settings.ts';
import { Pulse } from '../../../src/media/flow/pulse.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { SeededRandom } from '../fakes/seeded-random.ts';
import { VirtualNet } from './virtual-net.ts';

const stepMs = 2;

/** What inputs and outputs of flows need of their worker, in virtual time: datagrams, and nothing over TCP. */
export class VirtualWorker {
  readonly clock = new ManualClock();
  readonly net: VirtualNet;
  readonly events: MediaEvent[] = [];
  readonly dependencies: Omit<FlowInputDependencies, 'publish'>;

  constructor(seed = 1) {
    const random = new SeededRandom(seed);
    this.net = new VirtualNet(this.clock, random);
    const none = (): never => {
      throw new Error('there is no TCP in this worker');
    };
    this.dependencies = {
      clock: this.clock,
      random,
      pulse: new Pulse(this.clock),
      openSocket: (settings, observer) => this.net.open(settings, observer),
      openTunnel: none,
      listenTcp: none,
      dialTcp: none,
      httpPut: none,
      resolve: (host) => Promise.resolve({ address: host, family: 4 }),
      report: (event) => this.events.push(event),
      requestKeyFrame: () => undefined,
    };
  }

  /** Moves the clock on, and lets what waits for a promise go on in between. */
  async pass(durationMs: number, each: () => void = () => undefined): Promise<void> {
    for (let passed = 0; passed < durationMs; passed += stepMs) {
      each();
      this.clock.advance(stepMs);
      for (let turn = 0; turn < 4; turn++) await Promise.resolve();
    }
  }
}

/** A flow as edge.json has it. Throws on one that is not valid. */
export function flowOf(input: object, outputs: readonly object[] = []): FlowSettings {
  const parsed = parseFlow({ id: 'main', name: 'Main', input, outputs });
  if (parsed.kind === 'invalid') throw new Error(parsed.problems.map(formatProblem).join('; '));
  return parsed.flow;
}
