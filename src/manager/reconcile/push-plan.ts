import { retryDelay, pushEvent, succeeded, type LegWork, type Push } from './leg-work.ts';
import { isRelayRole, type PlanLeg } from './plan-leg.ts';
import type { PlanAction, PlanSettings } from './plan-types.ts';

/** How long an edge's leg waits for the relays of its tunnel at most: an edge repeats a bind that is refused. */
const holdMs = 10_000;
/** Longer steps of the clock do not count: the machine slept, or the clock was set. */
const maxTickMs = 2_000;
const storeFailedForEveryMs = 30_000;

/** The legs of one node that is online: which is pushed when, and what an answer means. */
export class PushPlan {
  readonly #settings: PlanSettings;
  readonly #maxInFlight: number;
  readonly #work = new Map<string, LegWork>();
  readonly #inFlight = new Map<number, string>();
  /** Legs that are behind, by the order in which they go. */
  readonly #due: readonly Set<LegWork>[] = [new Set(), new Set(), new Set()];
  readonly #held = new Set<LegWork>();
  #nextPushId = 1;
  #replaying = true;

  constructor(settings: PlanSettings, isRelay: boolean) {
    this.#settings = settings;
    this.#maxInFlight = isRelay ? settings.maxInFlight.relay : settings.maxInFlight.edge;
  }

  get legs(): readonly PlanLeg[] {
    return [...this.#work.values()].map(({ leg }) => leg);
  }

  /** Legs about which a look at the node that began at the last `lookBegins` says something. */
  get untouched(): readonly PlanLeg[] {
    return [...this.#work.values()].filter(({ push, touched }) => push === null && !touched).map(({ leg }) => leg);
  }

  /** Everything that was behind when the node came has been tried. */
  get replayDone(): boolean {
    if (this.#inFlight.size > 0) return false;
    for (const due of this.#due) {
      for (const { nextTryMs, heldUntilMs } of due) if (nextTryMs === null && heldUntilMs !== Infinity) return false;
    }
    return true;
  }

  get(legId: string): PlanLeg | null {
    return this.#work.get(legId)?.leg ?? null;
  }

  /** Tunnels of which a leg here waits for others. */
  get heldTunnels(): readonly string[] {
    return [...this.#held].map(({ leg }) => leg.resourceId);
  }

  /** Legs of this tunnel wait for others. */
  holds(tunnelId: string): boolean {
    for (const { leg } of this.#held) if (leg.resourceId === tunnelId) return true;
    return false;
  }

  endReplay(): void {
    this.#replaying = false;
  }

  lookBegins(): void {
    for (const work of this.#work.values()) work.touched = work.push !== null;
  }

  /** A leg that is new here, or that an operator changed. */
  put(leg: PlanLeg, nowMs: number): void {
    const known = this.#work.get(leg.id);
    // What was read before a later change says nothing any more.
    if (known !== undefined && known.leg.generation > leg.generation) return;
    const changed = known?.leg.generation !== leg.generation;
    this.#drop(known);
    const work: LegWork = {
      leg,
      push: known?.push ?? null,
      nextTryMs: null,
      heldUntilMs: leg.waitsForOthers ? holdUntil(leg, nowMs) : null,
      equalErrors: changed ? 0 : known.equalErrors,
      triedInSession: changed ? false : known.triedInSession,
      failedForMs: leg.failedForMs,
      storedFailedForMs: leg.failedForMs,
      ghost: false,
      touched: true,
      attempt: changed ? 0 : known.attempt,
    };
    this.#work.set(leg.id, work);
    this.#place(work);
  }

  /** A push that was begun here and never sent. The leg is put again after it. */
  cancel(legId: string, pushId: number): void {
    const work = this.#work.get(legId);
    this.#inFlight.delete(pushId);
    if (work?.push?.id === pushId) work.push = null;
  }

  forget(legId: string): void {
    const work = this.#work.get(legId);
    if (work?.push) this.#inFlight.delete(work.push.id);
    this.#drop(work);
    this.#work.delete(legId);
  }

  release(tunnelId: string): void {
    for (const work of this.#held) if (work.leg.resourceId === tunnelId) this.#letGo(work);
  }

  /** Starts what is due and has room; flows first, then relay legs, then edge legs. */
  start(nowMs: number): PlanAction[] {
    const actions: PlanAction[] = [];
    for (const due of this.#due) {
      for (const work of due) {
        if (this.#inFlight.size >= this.#maxInFlight) return actions;
        if (isTime(work, nowMs)) actions.push(this.#begin(work));
      }
    }
    return actions;
  }

  answer(legId: string, pushId: number, result: PushResult, nowMs: number): PlanAction[] {
    const work = this.#work.get(legId);
    this.#inFlight.delete(pushId);
    // The answer to a push that a newer one replaced, or of a leg that is gone.
    if (work?.push?.id !== pushId) return [];
    const { push } = work;
    work.push = null;
    const { leg } = work;
    const gone = leg.want === 'absent' && (result.ok || result.errorCode === 'not_found');
    if (gone && leg.generation === push.generation) {
      this.#drop(work);
      this.#work.delete(leg.id);
      return [{ kind: 'record-absent', leg }, ...succeeded(work, push)];
    }
    const actions = result.ok || gone ? this.#pushed(work, push) : this.#failed(work, push, result, nowMs);
    this.#place(work);
    return actions;
  }

  /** Takes a leg for pushed without a push: its relay holds it already. */
  confirm(leg: PlanLeg): PlanAction[] {
    const work = this.#work.get(leg.id);
    if (work?.push !== null || work.leg.status === 'pushed') return [];
    work.leg = { ...leg, status: 'pushed', pushedGeneration: leg.generation, error: null, errorCode: null };
    this.#letGo(work);
    return [{ kind: 'record-confirmed', leg }];
  }

  confirmAbsent(leg: PlanLeg): PlanAction[] {
    const work = this.#work.get(leg.id);
    if (work?.push !== null) return [];
    this.#drop(work);
    this.#work.delete(leg.id);
    return [{ kind: 'record-absent', leg }];
  }

  /** Time passes: held legs go, failures age. */
  tick(elapsedMs: number, nowMs: number): PlanAction[] {
    const actions: PlanAction[] = [];
    for (const work of this.#work.values()) {
      if (work.heldUntilMs !== null && nowMs >= work.heldUntilMs) this.#letGo(work);
      if (work.leg.status === 'failed' && work.triedInSession) actions.push(...this.#age(work, elapsedMs));
    }
    return actions;
  }

  #age(work: LegWork, elapsedMs: number): PlanAction[] {
    work.failedForMs += Math.min(Math.max(0, elapsedMs), maxTickMs);
    const actions: PlanAction[] = [];
    if (work.failedForMs - work.storedFailedForMs >= storeFailedForEveryMs) {
      work.storedFailedForMs = work.failedForMs;
      actions.push({ kind: 'record-failed-for', leg: work.leg, failedForMs: work.failedForMs });
    }
    const { ghostAfterMs } = this.#settings;
    if (ghostAfterMs > 0 && work.failedForMs >= ghostAfterMs && !work.ghost) {
      work.ghost = true;
      actions.push({ kind: 'ghost', leg: { ...work.leg, failedForMs: work.failedForMs } });
    }
    return actions;
  }

  /** The resource could not be removed as a ghost, for instance because it carries traffic: ask again in a while. */
  spare(legId: string): void {
    const work = this.#work.get(legId);
    if (work !== undefined) work.ghost = false;
  }

  #begin(work: LegWork): PlanAction {
    const id = this.#nextPushId++;
    const { leg } = work;
    const cause = work.attempt > 0 && leg.status === 'failed' ? 'retry' : this.#replaying ? 'replay' : 'direct';
    const reallyBehind = leg.pushedGeneration !== leg.generation || leg.status === 'failed';
    work.push = { id, generation: leg.generation, cause, reallyBehind };
    work.triedInSession = true;
    work.touched = true;
    work.attempt += 1;
    this.#inFlight.set(id, leg.id);
    this.#place(work);
    return { kind: 'push', leg, pushId: id, cause };
  }

  /** Puts a leg among those that are due, or takes it from there. */
  #place(work: LegWork): void {
    this.#drop(work);
    if (isDue(work)) this.#due[rank(work.leg)]?.add(work);
    if (work.heldUntilMs !== null) this.#held.add(work);
  }

  #letGo(work: LegWork): void {
    work.heldUntilMs = null;
    this.#place(work);
  }

  #drop(work: LegWork | undefined): void {
    if (work === undefined) return;
    for (const due of this.#due) due.delete(work);
    this.#held.delete(work);
  }

  #pushed(work: LegWork, push: Push): PlanAction[] {
    const status = work.leg.generation === push.generation ? 'pushed' : 'pending';
    work.leg = { ...work.leg, status, pushedGeneration: push.generation, error: null, errorCode: null };
    work.failedForMs = 0;
    work.storedFailedForMs = 0;
    work.equalErrors = 0;
    work.nextTryMs = null;
    const record = { legId: work.leg.id, pushId: push.id, generation: push.generation, status } as const;
    return [{ kind: 'record-pushed', ...record }, ...(status === 'pushed' ? succeeded(work, push) : [])];
  }

  #failed(work: LegWork, push: Push, result: PushResult, nowMs: number): PlanAction[] {
    const { leg } = work;
    const error = result.error ?? 'unknown error';
    const errorCode = result.errorCode ?? null;
    const record = { kind: 'record-failed', legId: leg.id, pushId: push.id, error, errorCode } as const;
    if (leg.generation !== push.generation) {
      work.leg = { ...leg, status: 'pending' };
      return [{ ...record, status: 'pending' }];
    }
    const isNews = leg.status !== 'failed' || leg.error !== error;
    work.equalErrors = leg.error === error ? work.equalErrors + 1 : 1;
    work.leg = { ...leg, status: 'failed', error, errorCode };
    work.nextTryMs = nowMs + retryDelay(work, this.#settings.retryMs);
    const text = `Push of ${leg.resource} '${leg.name}' (${leg.role}) failed: ${error}`;
    const details = { error, error_code: errorCode };
    const event = pushEvent(work, 'push_failed', 'warning', text, details);
    return [{ ...record, status: 'failed' }, ...(isNews ? [{ kind: 'raise', event } as const] : [])];
  }
}

export interface PushResult {
  readonly ok: boolean;
  readonly error?: string;
  readonly errorCode?: string | null;
}

/** A relay that a tunnel leaves keeps it, for however long, until no edge uses it any more. */
function holdUntil({ want }: PlanLeg, nowMs: number): number {
  return want === 'absent' ? Infinity : nowMs + holdMs;
}

function isDue({ leg, push }: LegWork): boolean {
  if (push !== null || (!leg.pushable && leg.want === 'present')) return false;
  return leg.status === 'pending' || leg.status === 'pushing' || leg.status === 'failed';
}

function isTime({ nextTryMs, heldUntilMs }: LegWork, nowMs: number): boolean {
  return heldUntilMs === null && (nextTryMs === null || nowMs >= nextTryMs);
}

function rank({ role }: PlanLeg): number {
  if (role === 'flow') return 0;
  return isRelayRole(role) ? 1 : 2;
}
