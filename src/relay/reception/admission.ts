import type { Clock } from '../../lib/clock.ts';
import { addressBlock, formatSocketAddress } from '../../lib/socket-address.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';
import type { IncomingAttempt, IncomingDecision, SocketAddress } from '../../quic/types.ts';

export interface AdmissionSettings {
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  /** New connections a second from one source; 0 = any number. */
  readonly acceptRatePerIpPerSec: number;
  readonly acceptBurstPerIp: number;
  /** Refusals a second of the per-address cap that complete the handshake to carry their reason. */
  readonly capRefusalsPerSec: number;
  /** Every new connection proves its address first. */
  readonly alwaysRetry: boolean;
}

export interface AdmissionVerdict {
  readonly decision: IncomingDecision;
  /** Set when the per-address cap speaks: connections that the source has. */
  readonly overCap: number | null;
}

export type Admittance =
  /** To be given back with `closed` when the connection ends. */
  | { readonly kind: 'admitted'; readonly source: string }
  /** The handshake was completed only to say why not. */
  | { readonly kind: 'over-cap'; readonly active: number };

interface Source {
  active: number;
  /** Handshakes under way from addresses that were proved by a Retry. */
  proving: number;
  /** Handshakes under way from addresses that anyone may have written into a packet. */
  unproved: number;
  proved: TokenBucket | null;
  claimed: TokenBucket | null;
}

/**
 * Decides who may open a connection (conformance A1, A4). A source is an IPv4 address or an IPv6 /64. Handshakes from
 * proven and unproven addresses are counted separately, so a spoofed source cannot use up a real host's quota.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #sources = new Map<string, Source>();
  /** Handshakes under way by address and port: for each, whether the address is proved. One port may begin several. */
  readonly #pending = new Map<string, boolean[]>();
  #handshakes = 0;
  #settings: AdmissionSettings;
  #capRefusals: TokenBucket | null = null;
  #active = 0;
  #stopped = false;

  constructor(clock: Clock, settings: AdmissionSettings) {
    this.#clock = clock;
    this.#settings = settings;
    this.setSettings(settings);
  }

  get activeConnections(): number {
    return this.#active;
  }

  /** Connections that one source may have. */
  get capPerIp(): number {
    return this.#settings.maxConnectionsPerIp;
  }

  /** Holds for new attempts; connections that are there stay. */
  setSettings(settings: AdmissionSettings): void {
    this.#settings = settings;
    this.#capRefusals = bucket(this.#clock, settings.capRefusalsPerSec, settings.capRefusalsPerSec);
    for (const source of this.#sources.values()) Object.assign(source, this.#freshBuckets());
  }

  /** Whether a new connection would be let in, as far as the total goes. */
  isOpen(): boolean {
    return !this.#stopped && this.#active + this.#handshakes < this.#settings.maxConnections;
  }

  /** Refuses everything from now on. */
  stop(): void {
    this.#stopped = true;
  }

  decide({ remote, validated }: IncomingAttempt): AdmissionVerdict {
    if (!this.isOpen()) return plain('refuse');
    if (this.#settings.alwaysRetry && !validated) return plain('retry');
    const source = this.#source(addressBlock(remote.ip));
    const rate = validated ? source.proved : source.claimed;
    if (rate !== null && !rate.tryTake()) return plain(validated ? 'refuse' : 'retry');
    const verdict = this.#decideByCap(source, validated);
    if (verdict.decision === 'accept') this.#begin(remote, source, validated);
    return verdict;
  }

  /** An accepted attempt has become a connection. */
  established(remote: SocketAddress): Admittance {
    this.#end(remote);
    const key = addressBlock(remote.ip);
    const source = this.#source(key);
    if (source.active >= this.#settings.maxConnectionsPerIp) return { kind: 'over-cap', active: source.active };
    source.active++;
    this.#active++;
    return { kind: 'admitted', source: key };
  }

  /** An accepted attempt has not become a connection. */
  failed(remote: SocketAddress): void {
    this.#end(remote);
  }

  closed(sourceKey: string): void {
    const source = this.#sources.get(sourceKey);
    if (source === undefined || source.active === 0) return;
    source.active--;
    this.#active--;
  }

  /** To be called about once a second: forgets sources that nothing is known of any more. */
  sweep(): void {
    for (const [key, { active, proving, unproved, proved, claimed }] of this.#sources) {
      const isFresh = (proved?.isFull() ?? true) && (claimed?.isFull() ?? true);
      if (active + proving + unproved === 0 && isFresh) this.#sources.delete(key);
    }
  }

  #decideByCap(source: Source, validated: boolean): AdmissionVerdict {
    const cap = this.#settings.maxConnectionsPerIp;
    const load = source.active + source.proving;
    if (load >= cap) {
      const mayExplain = this.#capRefusals?.tryTake() === true;
      return { decision: mayExplain ? 'accept' : 'refuse', overCap: load };
    }
    return plain(!validated && load + source.unproved >= cap ? 'retry' : 'accept');
  }

  #begin(remote: SocketAddress, source: Source, validated: boolean): void {
    const key = formatSocketAddress(remote);
    const ofPort = this.#pending.get(key) ?? [];
    this.#pending.set(key, ofPort);
    ofPort.push(validated);
    this.#handshakes++;
    if (validated) source.proving++;
    else source.unproved++;
  }

  #end(remote: SocketAddress): void {
    const key = formatSocketAddress(remote);
    const ofPort = this.#pending.get(key);
    const validated = ofPort?.shift();
    if (ofPort === undefined || validated === undefined) return;
    if (ofPort.length === 0) this.#pending.delete(key);
    this.#handshakes--;
    const source = this.#source(addressBlock(remote.ip));
    if (validated) source.proving--;
    else source.unproved--;
  }

  #source(key: string): Source {
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    const source: Source = { active: 0, proving: 0, unproved: 0, ...this.#freshBuckets() };
    this.#sources.set(key, source);
    return source;
  }

  #freshBuckets(): Pick<Source, 'proved' | 'claimed'> {
    const { acceptRatePerIpPerSec: rate, acceptBurstPerIp: burst } = this.#settings;
    return { proved: bucket(this.#clock, rate, burst), claimed: bucket(this.#clock, rate, burst) };
  }
}

function plain(decision: IncomingDecision): AdmissionVerdict {
  return { decision, overCap: null };
}

function bucket(clock: Clock, ratePerSecond: number, burst: number): TokenBucket | null {
  return ratePerSecond > 0 ? new TokenBucket(clock, { ratePerSecond, burst: Math.max(1, burst) }) : null;
}
