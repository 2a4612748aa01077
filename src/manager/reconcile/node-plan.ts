import type { NodeKind } from '../store/schema.ts';
import { compareEdge, compareRelay, readInventory } from './compare.ts';
import { DriftLedger } from './drift-ledger.ts';
import { isRelayRole, type PlanLeg } from './plan-leg.ts';
import type { PlanAction, PlanInput, PlanSettings } from './plan-types.ts';
import { PushPlan } from './push-plan.ts';

export type PlanPhase = 'offline' | 'replaying' | 'settling' | 'fetching' | 'steady';

/** After a config that could not be had or read. */
const fetchAgainMs = 30_000;

/** What holds for one session of the node, and is gone with it. */
interface Online {
  readonly nodeKind: NodeKind;
  readonly pushes: PushPlan;
  drift: DriftLedger;
  phase: Exclude<PlanPhase, 'offline'>;
  /** Whether the relay lists what it authorises; null until it was asked. */
  listsAuthorized: boolean | null;
  /** When what comes next is due; null while an answer is awaited. */
  nextMs: number | null;
  lastTickMs: number;
}

/**
 * What is done for one node, and when: push what is behind, wait, look, compare. Decides only: the time is handed in,
 * Call `tick` once a second, and carry the actions out in their order.
 */
export class NodePlan {
  readonly #settings: PlanSettings;
  #online: Online | null = null;

  constructor(settings: PlanSettings) {
    this.#settings = settings;
  }

  get phase(): PlanPhase {
    return this.#online?.phase ?? 'offline';
  }

  get legs(): readonly PlanLeg[] {
    return this.#online?.pushes.legs ?? [];
  }

  get(legId: string): PlanLeg | null {
    return this.#online?.pushes.get(legId) ?? null;
  }

  /** Legs of this tunnel wait for others. */
  get heldTunnels(): readonly string[] {
    return this.#online?.pushes.heldTunnels ?? [];
  }

  holds(tunnelId: string): boolean {
    return this.#online?.pushes.holds(tunnelId) ?? false;
  }

  take(input: PlanInput, nowMs: number): PlanAction[] {
    if (input.kind === 'online') return this.#begin(input, nowMs);
    const online = this.#online;
    if (online === null) return [];
    if (input.kind === 'offline') {
      this.#online = null;
      return [{ kind: 'record-left' }];
    }
    const actions = this.#react(online, input, nowMs);
    const further = this.#proceed(online, nowMs);
    // Thousands of ticks a second bring nothing.
    return actions.length === 0 ? further : [...actions, ...further];
  }

  /** Such a resource stays although it failed for too long; it is asked about again at the next failure. */
  spareGhost(legId: string): void {
    this.#online?.pushes.spare(legId);
  }

  #begin({ nodeKind, legs, drift }: Extract<PlanInput, { kind: 'online' }>, nowMs: number): PlanAction[] {
    const pushes = new PushPlan(this.#settings, nodeKind === 'relay');
    for (const leg of legs) pushes.put(leg, nowMs);
    const online: Online = {
      nodeKind,
      pushes,
      drift: new DriftLedger(drift),
      phase: 'replaying',
      listsAuthorized: nodeKind === 'relay' ? null : false,
      nextMs: null,
      lastTickMs: nowMs,
    };
    this.#online = online;
    if (nodeKind === 'relay') return [{ kind: 'list-authorized' }];
    return this.#proceed(online, nowMs);
  }

  #react(online: Online, input: Exclude<PlanInput, { kind: 'online' | 'offline' }>, nowMs: number): PlanAction[] {
    const { pushes } = online;
    switch (input.kind) {
      case 'leg-changed':
        if (input.voidPush !== undefined) pushes.cancel(input.leg.id, input.voidPush);
        pushes.put(input.leg, nowMs);
        return [];
      case 'leg-gone':
        pushes.forget(input.legId);
        return [];
      case 'released':
        pushes.release(input.tunnelId);
        return [];
      case 'answer':
        return this.#answered(online, input, nowMs);
      case 'authorized':
        return this.#authorized(online, input.digests, nowMs);
      case 'config':
        return this.#config(online, input.content, nowMs);
      case 'fetch-failed':
        return this.#fetchFailed(online, nowMs);
      case 'drift-changed':
        online.drift = new DriftLedger(input.open);
        return lookAt(online, nowMs + this.#settings.settleMs);
      case 'compare-now':
        return lookAt(online, nowMs);
      case 'tick':
        return tick(online, nowMs);
    }
  }

  /** Starts what has become due, and goes on to the next phase when this one is done. */
  #proceed(online: Online, nowMs: number): PlanAction[] {
    // A relay's pushes wait for the list of what it holds already.
    if (online.nodeKind === 'relay' && online.listsAuthorized === null) return [];
    const actions = online.pushes.start(nowMs);
    if (online.phase === 'replaying' && online.pushes.replayDone) {
      online.pushes.endReplay();
      online.phase = 'settling';
      online.nextMs = nowMs + this.#settings.settleMs;
    } else if (online.nextMs !== null && nowMs >= online.nextMs && online.phase !== 'replaying') {
      actions.push(...this.#look(online));
    }
    return actions;
  }

  #look(online: Online): PlanAction[] {
    online.nextMs = null;
    if (online.nodeKind === 'relay' && online.listsAuthorized === false) {
      online.phase = 'steady';
      return [{ kind: 'compared', possible: false }];
    }
    online.phase = 'fetching';
    online.pushes.lookBegins();
    return [online.nodeKind === 'relay' ? { kind: 'list-authorized' } : { kind: 'fetch-config' }];
  }

  #answered(online: Online, input: Extract<PlanInput, { kind: 'answer' }>, nowMs: number): PlanAction[] {
    const leg = online.pushes.get(input.legId) ?? undefined;
    const actions = online.pushes.answer(input.legId, input.pushId, input, nowMs);
    const resource = leg !== undefined && isRelayRole(leg.role) ? 'authorisation' : leg?.resource;
    const differed = leg !== undefined && resource !== undefined && online.drift.has(resource, leg.resourceId);
    // The difference that this push was to end is looked at again once the node has had time.
    if (input.ok && differed && online.phase === 'steady') online.nextMs = nowMs + this.#settings.settleMs;
    return actions;
  }

  /** The first list ends the wait for replay, the later ones are compared. */
  #authorized(online: Online, digests: ReadonlyMap<string, string> | null, nowMs: number): PlanAction[] {
    const { pushes } = online;
    if (online.phase === 'fetching') {
      if (digests === null) return this.#fetchFailed(online, nowMs);
      const judged = pushes.untouched;
      return this.#compared(online, compareRelay(digests, pushes.legs, judged), judged);
    }
    if (online.listsAuthorized !== null) return [];
    online.listsAuthorized = digests !== null;
    if (digests === null) return [];
    return pushes.legs.flatMap((leg) => {
      if (!isRelayRole(leg.role)) return [];
      const digest = digests.get(leg.resourceId);
      if (leg.want === 'absent') return digest === undefined ? pushes.confirmAbsent(leg) : [];
      return digest !== undefined && digest === leg.digest ? pushes.confirm(leg) : [];
    });
  }

  #config(online: Online, content: unknown, nowMs: number): PlanAction[] {
    if (online.phase !== 'fetching') return [];
    const inventory = readInventory(content);
    if (inventory === null) return [...this.#fetchFailed(online, nowMs), { kind: 'unreadable-config' }];
    const { pushes } = online;
    const judged = pushes.untouched;
    const gone = judged.filter((leg) => {
      const entries = leg.resource === 'tunnel' ? inventory.tunnels : inventory.flows;
      return leg.want === 'absent' && !entries.has(leg.resourceId);
    });
    const removed = gone.flatMap((leg) => pushes.confirmAbsent(leg));
    return [...removed, ...this.#compared(online, compareEdge(inventory, pushes.legs, judged), judged)];
  }

  #compared(
    online: Online,
    differences: Parameters<DriftLedger['update']>[0],
    judged: readonly PlanLeg[],
  ): PlanAction[] {
    online.phase = 'steady';
    const decided = new Set(judged.map(({ id }) => id));
    const undecided = online.pushes.legs.filter(({ id, status }) => !decided.has(id) || status !== 'pushed');
    const actions = online.drift.update(differences, new Set(undecided.map(({ resourceId }) => resourceId)));
    return [...actions, { kind: 'compared', possible: true }];
  }

  #fetchFailed(online: Online, nowMs: number): PlanAction[] {
    if (online.phase === 'fetching') {
      online.phase = 'steady';
      online.nextMs = nowMs + fetchAgainMs;
    } else if (online.nodeKind === 'relay' && online.listsAuthorized === null) {
      // No answer to the first list: everything is pushed.
      online.listsAuthorized = false;
    }
    return [];
  }
}

/** The next look at the node, where nothing else is under way. */
function lookAt(online: Online, atMs: number): PlanAction[] {
  if (online.phase === 'steady') online.nextMs = atMs;
  return [];
}

function tick(online: Online, nowMs: number): PlanAction[] {
  const elapsedMs = nowMs - online.lastTickMs;
  online.lastTickMs = nowMs;
  return online.pushes.tick(elapsedMs, nowMs);
}
