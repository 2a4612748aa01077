import { rfc3339, type Clock } from '../../lib/clock.ts';
import { addressBlock, parseSocketAddress } from '../../lib/socket-address.ts';
import type { NodeEvent } from '../../protocol/node/node-event.ts';
import { eventText } from './event-text.ts';
import type { RelayEvent, RelayEventKind } from './relay-event.ts';

export interface EventHubSettings {
  /** Rejections of one kind from one source that are let through per window. */
  readonly maxRejections: number;
  /** The same of other events that a stranger can cause. */
  readonly maxByStrangers: number;
  readonly windowMs: number;
  /** Sources and kinds that are told apart; those beyond share one account. */
  readonly maxSources: number;
}

/** A raised event, with the time at which it was raised and its words. */
export interface RaisedEvent {
  readonly event: RelayEvent;
  readonly report: NodeEvent;
}

/** Called synchronously for each event, in order. Must not throw. */
export type EventListener = (raised: RaisedEvent) => void;

interface Account {
  readonly opensAtMs: number;
  passed: number;
  suppressed: number;
  last: RelayEvent;
}

/** Events that change no state. An unauthenticated peer can cause them without limit, so they are rate-limited. */
const rejections: ReadonlySet<RelayEventKind> = new Set<RelayEventKind>([
  'edge-connection-failed',
  'version-mismatch',
  'per-ip-cap-exceeded',
  'accept-failed',
  'bind-rejected',
  'bind-cap-exceeded',
  'leg-held',
]);

/**
 * Where events are raised and heard. What strangers can cause at will is limited per source and kind; how many were
 * held back is told when the window ends, in `details.suppressed`.
 */
export class EventHub {
  readonly #clock: Clock;
  readonly #settings: EventHubSettings;
  readonly #listeners = new Set<EventListener>();
  readonly #accounts = new Map<string, Account>();

  constructor(clock: Clock, settings: EventHubSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Answers what ends the subscription. */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** `stranger`: the address of an edge that has caused this without a credential, and can do so again at will. */
  emit(event: RelayEvent, stranger: string | null = null): void {
    if (this.#passes(event, stranger)) this.#publish(event, 0);
  }

  /** To be called about once a second: ends windows that are over and tells what was held back in them. */
  sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, account] of this.#accounts) {
      // In order of opening, so the first open one ends the search.
      if (nowMs < account.opensAtMs) break;
      this.#accounts.delete(key);
      if (account.suppressed > 0) this.#publish(account.last, account.suppressed - 1);
    }
  }

  #passes(event: RelayEvent, stranger: string | null): boolean {
    const isRejection = rejections.has(event.kind);
    if (!isRejection && stranger === null) return true;
    const account = this.#accountOf(event, stranger === null ? sourceOf(event) : blockOf(stranger));
    const { maxRejections, maxByStrangers } = this.#settings;
    if (account.passed < (isRejection ? maxRejections : maxByStrangers)) {
      account.passed++;
      return true;
    }
    account.suppressed++;
    account.last = event;
    return false;
  }

  #accountOf(event: RelayEvent, source: string): Account {
    this.sweep();
    const own = `${event.kind} ${source}`;
    const full = this.#accounts.size >= this.#settings.maxSources;
    const key = full && !this.#accounts.has(own) ? event.kind : own;
    const known = this.#accounts.get(key);
    if (known !== undefined) return known;
    const opensAtMs = this.#clock.monotonicMs() + this.#settings.windowMs;
    const account = { opensAtMs, passed: 0, suppressed: 0, last: event };
    this.#accounts.set(key, account);
    return account;
  }

  #publish(event: RelayEvent, suppressed: number): void {
    const { category, severity, message, flowId, details } = eventText(event);
    const withCount = suppressed > 0 ? { ...details, suppressed } : details;
    const report: NodeEvent = {
      timestamp: rfc3339(this.#clock.now()),
      category,
      severity,
      message,
      ...(flowId !== undefined && { flowId }),
      ...(withCount !== undefined && { details: withCount }),
    };
    for (const listener of this.#listeners) listener({ event, report });
  }
}

function sourceOf(event: RelayEvent): string {
  if ('remoteIp' in event && event.remoteIp !== null) return addressBlock(event.remoteIp);
  return 'remoteAddr' in event ? blockOf(event.remoteAddr) : '';
}

function blockOf(remoteAddr: string): string {
  const ip = parseSocketAddress(remoteAddr)?.ip;
  return ip === undefined ? remoteAddr : addressBlock(ip);
}
