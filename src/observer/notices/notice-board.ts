import type { EventSeverity } from '../../protocol/node/node-event.ts';
import type { BeatStatus } from '../../protocol/beat/beat-frame.ts';
import type { RecoveryNews } from '../recovery/recovery-runner.ts';
import type { ObserverEvent } from '../slots/observer-event.ts';
import { NoticeLimit, type Notice } from './notice-limit.ts';

type Kind = ObserverEvent['type'] | 'Status' | 'Eviction' | RecoveryNews['kind'];

const minuteNs = 60e9;
const secondNs = 1e9;
/** Anyone who reaches the socket or port can cause these at will: the first, then a count a minute. */
const attackable: ReadonlySet<Kind> = new Set<Kind>([
  ...(['Decode', 'AuthFailure', 'OriginConflict', 'NamespaceConflict', 'CtrlTruncated', 'Io'] as const),
]);
/** Of an agent's own making, such as a status that flaps. */
const flappingPerSecond = 10;
const stallsPerSecond = 200;

const statusSeverity: Readonly<Record<BeatStatus, EventSeverity>> = {
  Ok: 'info',
  Degraded: 'warning',
  Critical: 'critical',
};

/** Turns events into what an operator reads: transitions only, and few. Pure. */
export class NoticeBoard {
  readonly #labelOf: (pid: number) => string | null;
  readonly #publish: (notice: Notice) => void;
  readonly #limits = new Map<Kind, NoticeLimit>();
  /** The last notice of each pid. */
  readonly #known = new Map<number, { status: BeatStatus; silent: boolean }>();

  constructor(labelOf: (pid: number) => string | null, publish: (notice: Notice) => void) {
    this.#labelOf = labelOf;
    this.#publish = publish;
  }

  /** Whether a beat differs from what is known of its pid; others need not be given to `event`. */
  isNews({ pid, status }: { readonly pid: number; readonly status: BeatStatus }): boolean {
    const known = this.#known.get(pid);
    return known === undefined || known.silent || known.status !== status;
  }

  event(event: ObserverEvent): void {
    if (event.type === 'Beat') {
      this.#beat(event);
      return;
    }
    const nowNs = Number(event.observer_ns);
    switch (event.type) {
      case 'Stall': {
        const silentMs = Math.round(Number(event.observer_ns - event.last_ns) / 1e6);
        const known = this.#known.get(event.pid);
        if (known !== undefined) known.silent = true;
        this.#raise(
          'Stall',
          nowNs,
          'critical',
          `Process ${this.#name(event.pid)} has been silent for ${silentMs} ms`,
          event,
        );
        return;
      }
      case 'Decode':
        this.#raise('Decode', nowNs, 'warning', `A beat cannot be read: ${event.error.kind}`, event);
        return;
      case 'AuthFailure':
        this.#raise(
          'AuthFailure',
          nowNs,
          'warning',
          `A process beats as pid ${event.claimed_pid}, which it is not`,
          event,
        );
        return;
      case 'OriginConflict': {
        const message = `Pid ${event.claimed_pid} belongs to another origin (${event.slot_origin}), beat dropped`;
        this.#raise('OriginConflict', nowNs, 'warning', message, event);
        return;
      }
      case 'NamespaceConflict': {
        const message = `Pid ${event.claimed_pid} beats from another PID namespace, beat dropped`;
        this.#raise('NamespaceConflict', nowNs, 'warning', message, event);
        return;
      }
      case 'Io':
      case 'CtrlTruncated':
        this.#raise(event.type, nowNs, 'warning', `Receiving beats: ${event.error.message}`, event);
    }
  }

  recovery(news: RecoveryNews, nowNs: number): void {
    const name = this.#name(news.pid);
    switch (news.kind) {
      case 'spawned':
        this.#raise('spawned', nowNs, 'info', `Recovery for process ${name} started`, { ...news });
        return;
      case 'refused':
        this.#raise('refused', nowNs, 'warning', `Recovery for process ${name} refused: ${news.reason}`, { ...news });
        return;
      case 'spawn-failed':
        this.#raise('spawn-failed', nowNs, 'warning', `Recovery for process ${name} failed: ${news.reason}`, {
          ...news,
        });
        return;
      case 'completed': {
        const [severity, end] =
          news.outcome === 'reaped_zero' ? (['info', 'ended'] as const) : (['warning', 'failed'] as const);
        const details = {
          pid: news.pid,
          outcome: news.outcome,
          duration_ns: news.durationNs,
          stdout: news.stdout,
          stderr: news.stderr,
        };
        this.#raise('completed', nowNs, severity, `Recovery for process ${name} ${end}`, details);
        return;
      }
      case 'debounced':
    }
  }

  evicted(pid: number, observerNs: bigint): void {
    this.#known.delete(pid);
    this.#raise('Eviction', Number(observerNs), 'info', `Pid ${pid} made room for another`, { pid });
  }

  /** To be called about once a second: publishes how much was held back. */
  sweep(nowNs: number): void {
    for (const limit of this.#limits.values()) {
      const held = limit.sweep(nowNs);
      if (held !== null) this.#publish({ ...held.notice, details: { ...held.notice.details, suppressed: held.count } });
    }
  }

  #beat(event: Extract<ObserverEvent, { type: 'Beat' }>): void {
    const { pid, status } = event;
    if (!this.isNews(event)) return;
    const known = this.#known.get(pid);
    const nowNs = Number(event.observer_ns);
    if (known === undefined) this.#known.set(pid, { status, silent: false });
    if (known?.silent === true) this.#raise('Beat', nowNs, 'info', `Process ${this.#name(pid)} beats again`, event);
    if (known !== undefined) known.silent = false;
    // A first beat that is Ok is no news.
    if (status === (known?.status ?? 'Ok')) return;
    if (known !== undefined) known.status = status;
    this.#raise('Status', nowNs, statusSeverity[status], `Process ${this.#name(pid)} is ${status}`, event);
  }

  #name(pid: number): string {
    const label = this.#labelOf(pid);
    return label === null ? String(pid) : `${label} (${pid})`;
  }

  #raise(kind: Kind, nowNs: number, severity: EventSeverity, message: string, details: object): void {
    const notice: Notice = { severity, category: 'observer', message, details: plain(details) };
    const limit = this.#limits.get(kind) ?? newLimit(kind);
    this.#limits.set(kind, limit);
    if (limit.passes(notice, nowNs)) this.#publish(notice);
  }
}

function newLimit(kind: Kind): NoticeLimit {
  if (attackable.has(kind)) return new NoticeLimit(1, minuteNs);
  return new NoticeLimit(kind === 'Stall' ? stallsPerSecond : flappingPerSecond, secondNs);
}

/** Without what JSON cannot hold. */
function plain(details: object): Readonly<Record<string, unknown>> {
  const entries = Object.entries(details).filter(([key]) => key !== 'type' && key !== 'kind');
  return Object.fromEntries(entries.map(([key, value]) => [key, toPlain(value)]));
}

function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toPlain(inner)]));
}
