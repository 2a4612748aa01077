import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildProgram } from '../../../src/cli/demo/child-program.ts';
import { planDemo, type DemoWorld } from '../../../src/cli/demo/demo-config.ts';
import { areEdgesReady, readTunnels } from '../../../src/cli/demo/demo-view.ts';
import { TunnelFiles } from '../../../src/cli/demo/tunnel-files.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { ownLoopback } from '../network/own-loopback.ts';
import { patienceMs, until } from '../until.ts';

type Part = 'relay' | 'egress' | 'ingress';

const tunnelCount = 2;

/** A relay and two edges as processes of their own, with one TCP and one UDP tunnel; each can be killed and started again. */
export class ProgramWorld implements AsyncDisposable {
  readonly plan: DemoWorld;
  readonly #configs: Record<Part, string>;
  readonly #programs = new Map<Part, ChildProgram>();

  private constructor(plan: DemoWorld, relay: ChildProgram, configs: Record<Part, string>) {
    this.plan = plan;
    this.#configs = configs;
    this.#programs.set('relay', relay);
  }

  static async start(): Promise<ProgramWorld> {
    const plan = await planDemo(mkdtempSync(join(tmpdir(), 'adit-e2e-')), ownLoopback());
    const files = new TunnelFiles(plan, 'auto', new SystemRandom());
    const relayConfig = files.writeRelay();
    const relay = new ChildProgram('relay', ['relay', '-c', relayConfig], new SystemClock());
    const started = await relay.line('relay started');
    const edges = files.writeEdges(String(started['certificate_sha256']));
    const world = new ProgramWorld(plan, relay, { relay: relayConfig, ...edges });
    await Promise.all([world.startPart('egress'), world.startPart('ingress')]);
    await world.active();
    return world;
  }

  async startPart(part: Part): Promise<void> {
    const kind = part === 'relay' ? 'relay' : 'edge';
    const program = new ChildProgram(part, [kind, '-c', this.#configs[part]], new SystemClock());
    this.#programs.set(part, program);
    await program.line(`${kind} started`);
  }

  program(part: Part): ChildProgram {
    const program = this.#programs.get(part);
    if (program === undefined) throw new Error(`${part} was not started`);
    return program;
  }

  /** Waits until the relay says that both tunnels have both legs, and both edges know it. Answers how long that took, in ms. */
  async active(timeoutMs = patienceMs): Promise<number> {
    const start = performance.now();
    try {
      const areUp = async (): Promise<boolean> =>
        (await this.statuses()).join() === 'active,active' && (await areEdgesReady(this.plan, tunnelCount));
      await until(areUp, { what: 'two active tunnels', timeoutMs });
    } catch (cause) {
      const said = [...this.#programs].map(([part, { lastLines }]) => [part, ...lastLines].join('\n'));
      throw new Error([(await this.statuses()).join(), ...said].join('\n\n'), { cause });
    }
    return performance.now() - start;
  }

  async statuses(): Promise<string[]> {
    try {
      return (await readTunnels(this.plan)).map(({ status }) => status);
    } catch {
      // The relay is not up: it has no tunnels.
      return [];
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#programs.values()].map((program) => program[Symbol.asyncDispose]()));
    rmSync(this.plan.folder, { recursive: true });
  }
}
