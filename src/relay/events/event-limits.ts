import type { EventHub } from '../../admin/event-hub.ts';
import type { Clock } from '../../lib/clock.ts';
import { addressBlock, parseSocketAddress } from '../../lib/socket-address.ts';
import { isLimited } from './event-text.ts';
import type { RelayEvent } from './relay-event.ts';

export interface EventLimitSettings {
  /** Limited events of one kind from one source that are let through per window. */
  readonly maxLimited: number;
  /** The same of other events that an unauthenticated edge causes. */
  readonly maxUnauthenticated: number;
  readonly windowMs: number;
  /** Pairs of source and kind that are counted apart; those beyond share one account for each kind. */
  readonly maxSources: number;
}

interface Account {
  readonly opensAtMs: number;
  passed: number;
  suppressed: number;
  last: RelayEvent;
}

/**
 * Raises events, and limits those that an unauthenticated peer can cause without end, per source and kind. When a
 * window ends, `details.suppressed` of one more event says how many were held back.
 */
export class EventLimits {
  readonly #clock: Clock;
  readonly #hub: EventHub<RelayEvent>;
  readonly #settings: EventLimitSettings;
  readonly #accounts = new Map<string, Account>();

  constructor(clock: Clock, hub: EventHub<RelayEvent>, settings: EventLimitSettings) {
    this.#clock = clock;
    this.#hub = hub;
    this.#settings = settings;
  }

  /** `unauthenticated`: the address of an edge that caused this without a credential, and can do so again at will. */
  emit(event: RelayEvent, unauthenticated: string | null = null): void {
    if (this.#passes(event, unauthenticated)) this.#hub.emit(event);
  }

  /** Call about once a second: ends windows that are over and raises what was held back in them. */
  sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, account] of this.#accounts) {
      // In order of opening, so the first open one ends the search.
      if (nowMs < account.opensAtMs) break;
      this.#accounts.delete(key);
      if (account.suppressed > 0) this.#hub.emit(account.last, account.suppressed - 1);
    }
  }

  #passes(event: RelayEvent, unauthenticated: string | null): boolean {
    const limited = isLimited(event);
    if (!limited && unauthenticated === null) return true;
    const account = this.#accountOf(event, unauthenticated === null ? sourceOf(event) : blockOf(unauthenticated));
    const { maxLimited, maxUnauthenticated } = this.#settings;
    if (account.passed < (limited ? maxLimited : maxUnauthenticated)) {
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
}

function sourceOf(event: RelayEvent): string {
  if ('remoteIp' in event && event.remoteIp !== null) return addressBlock(event.remoteIp);
  return 'remoteAddr' in event ? blockOf(event.remoteAddr) : '';
}

function blockOf(remoteAddr: string): string {
  const ip = parseSocketAddress(remoteAddr)?.ip;
  return ip === undefined ? remoteAddr : addressBlock(ip);
}
