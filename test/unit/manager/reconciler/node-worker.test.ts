import { describe, expect, it } from 'vitest';
import type { CommandDesk, CommandResult } from '../../../../src/manager/commands/command-desk.ts';
import type { OwnEvents } from '../../../../src/manager/events/own-events.ts';
import { LiveNode } from '../../../../src/manager/hub/live-node.ts';
import type { PlanLeg } from '../../../../src/manager/reconcile/plan-leg.ts';
import type { DriftKeeper } from '../../../../src/manager/reconciler/drift-keeper.ts';
import type { LegReader } from '../../../../src/manager/reconciler/leg-reader.ts';
import { NodeWorker } from '../../../../src/manager/reconciler/node-worker.ts';
import type { LegRow, PushStatus } from '../../../../src/manager/store/schema.ts';
import type { PushGuard, Store } from '../../../../src/manager/store/store.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { silentLogger } from '../../../support/fakes/silent-logger.ts';

/** One leg of one edge, in a database that can be away, and a node that answers when the test says so. */
class WorkerBed {
  readonly clock = new ManualClock();
  readonly sent: { readonly type: string; answer(result: CommandResult): void }[] = [];
  readonly worker: NodeWorker;
  isAway = false;
  status: PushStatus = 'pending';
  generation = 1;
  pushedGeneration: number | null = null;
  #guard: PushGuard | null = null;

  constructor() {
    const node = new LiveNode(
      {
        ...{ id: 'node', name: 'venue', kind: 'edge', session: 1, remoteAddr: 'x', connectedAt: 0 },
        ...{ connectedAtMs: 0, expiresAt: null, issuedSecretId: null },
      },
      { bufferedBytes: 0, send: () => undefined, close: () => undefined },
    );
    this.worker = new NodeWorker(
      node,
      {
        ...{ clock: this.clock, logger: silentLogger },
        store: { legs: this.#legs(), nodes: { change: () => this.#answer(null) } } as unknown as Store,
        desk: { send: (_node: LiveNode, { type }: { type: string }) => this.#send(type) } as unknown as CommandDesk,
        reader: {
          ofNode: () => this.#answer([this.#leg()]),
          plan: () => this.#answer([this.#leg()]),
          actions: () => this.#answer([{ type: 'create_tunnel' }]),
        } as unknown as LegReader,
        drift: { open: () => this.#answer([]) } as unknown as DriftKeeper,
        events: { raise: () => undefined } as unknown as OwnEvents,
        ...{ tunnelLegsRecorded: () => undefined, legsRecorded: () => undefined, countPush: () => undefined },
        removeGhost: () => Promise.resolve(false),
      },
      { settleMs: 1_000, retryMs: 30_000, ghostAfterMs: 0, maxInFlight: { edge: 8, relay: 64 } },
    );
  }

  /** Time passes; the runner's tick comes once a second. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      await this.clock.advanceAsync(1_000);
      this.worker.feed({ kind: 'tick' });
    }
    await this.clock.advanceAsync(0);
  }

  edit(): void {
    this.generation += 1;
    this.status = 'pending';
    this.worker.feed({ kind: 'leg-changed', leg: this.#leg() });
  }

  async #answer<Value>(value: Value): Promise<Value> {
    if (this.isAway) throw new Error('the database is away');
    return Promise.resolve(value);
  }

  #send(type: string): Promise<CommandResult> {
    if (type === 'get_config') return Promise.resolve({ kind: 'done', data: { tunnels: [] } });
    return new Promise((answer) => this.sent.push({ type, answer }));
  }

  #legs(): Partial<Store['legs']> {
    const row = (): LegRow => ({ id: 'leg', node_id: 'node' }) as LegRow;
    return {
      releaseOrphans: () => this.#answer(undefined),
      ofNode: () => this.#answer([{ ...row(), push_status: this.status, command_id: this.#guard?.commandId ?? null }]),
      left: async () => {
        await this.#answer(null);
        if (this.status === 'pushing') this.status = 'pending';
        this.#guard = null;
        return [];
      },
      beginPush: async (_id, { generation }, guard) => {
        await this.#answer(null);
        if (generation !== this.generation || !['pending', 'failed'].includes(this.status)) return null;
        this.status = 'pushing';
        this.#guard = guard;
        return row();
      },
      endPush: async (_id, { commandId }, status, { pushed_generation: pushed }) => {
        await this.#answer(null);
        if (commandId !== this.#guard?.commandId) return null;
        if (this.status === 'pushing') this.status = status;
        this.pushedGeneration = pushed ?? this.pushedGeneration;
        return row();
      },
    };
  }

  #leg(): PlanLeg {
    return {
      ...{ id: 'leg', resource: 'tunnel', resourceId: 'tunnel', name: 'camera', role: 'ingress', want: 'present' },
      ...{ generation: this.generation, pushedGeneration: this.pushedGeneration, status: this.status },
      ...{ error: null, errorCode: null, failedForMs: 0, pushable: true, waitsForOthers: false, digest: null },
      desired: {},
    };
  }
}

const done: CommandResult = { kind: 'done', data: null };

describe('a node while the database is away', () => {
  it('has a push recorded whose answer came meanwhile', async () => {
    const bed = new WorkerBed();
    bed.worker.start();
    await bed.pass(1);
    bed.isAway = true;
    bed.sent[0]?.answer(done);
    await bed.pass(30);
    bed.isAway = false;
    await bed.pass(2);
    expect([bed.status, bed.pushedGeneration, bed.sent.length]).toEqual(['pushed', 1, 1]);
  });

  it('has the push repeated when that took minutes, and is not stuck', async () => {
    const bed = new WorkerBed();
    bed.worker.start();
    await bed.pass(1);
    bed.isAway = true;
    bed.sent[0]?.answer(done);
    await bed.pass(300);
    bed.isAway = false;
    await bed.pass(5);
    expect(bed.sent).toHaveLength(2);
    bed.sent[1]?.answer(done);
    await bed.pass(2);
    expect([bed.status, bed.pushedGeneration]).toEqual(['pushed', 1]);
  });

  it('gives no answer to a push of before to one that came after', async () => {
    const bed = new WorkerBed();
    bed.worker.start();
    await bed.pass(1);
    bed.isAway = true;
    bed.worker.feed({ kind: 'compare-now' });
    bed.worker.reloadDrift();
    await bed.pass(100);
    bed.isAway = false;
    bed.edit();
    await bed.pass(5);
    expect(bed.sent).toHaveLength(2);
    bed.sent[0]?.answer(done);
    await bed.pass(2);
    expect([bed.status, bed.pushedGeneration]).toEqual(['pushing', null]);
    bed.sent[1]?.answer(done);
    await bed.pass(2);
    expect([bed.status, bed.pushedGeneration]).toEqual(['pushed', 2]);
  });
});
