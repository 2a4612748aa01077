import { DropReporter } from '../../lib/drop-reporter.ts';
import type { EdgeEvent, TunnelRef } from '../events/edge-event.ts';
import { ListenAddress } from '../local/listen-address.ts';
import { SenderWatch } from '../local/senders.ts';
import type { Troubles } from '../local/troubles.ts';
import type { TunnelCounters } from '../local/tunnel-counters.ts';

export interface TunnelWatchDependencies {
  readonly counters: TunnelCounters;
  readonly troubles: Troubles;
  /** Must not throw. */
  readonly raise: (event: EdgeEvent) => void;
}

/** Looks at one tunnel's counts and at its local address now and then, and raises what operators are to know. */
export class TunnelWatch {
  readonly #dependencies: TunnelWatchDependencies;
  readonly #drops = new DropReporter();
  readonly #refusals = new DropReporter();
  readonly #senders = new SenderWatch();
  readonly #listenAddress: ListenAddress | null;

  /** `listenHost`: where the tunnel listens; null when it does not. */
  constructor(dependencies: TunnelWatchDependencies, listenHost: string | null) {
    this.#dependencies = dependencies;
    this.#listenAddress = listenHost === null ? null : new ListenAddress(listenHost);
  }

  /** To be called a few times a second while the tunnel is open. */
  sample(nowMs: number, tunnel: TunnelRef, localAddr: string): void {
    this.#sampleSenders(nowMs, tunnel, localAddr);
    this.#sampleAddress(nowMs);
    const { counters, raise } = this.#dependencies;
    // That the tunnel is not up has events of its own.
    const drops = { ...counters.drops(), no_relay: 0, not_authentic: counters.decryptErrors };
    for (const report of this.#drops.observe(nowMs, drops)) raise({ kind: 'datagrams-dropped', tunnel, ...report });
    const refused = { ...counters.refusedConnections(), no_relay: 0 };
    for (const report of this.#refusals.observe(nowMs, refused)) {
      raise({ kind: 'connections-refused', tunnel, ...report });
    }
  }

  #sampleSenders(nowMs: number, tunnel: TunnelRef, localAddr: string): void {
    const { counters, troubles, raise } = this.#dependencies;
    const senders = this.#senders.sample(nowMs, counters.senderReturns);
    if (senders === 'begun') raise({ kind: 'several-senders', tunnel, localAddr });
    if (senders === 'over') troubles.worked('senders', false);
    else troubles.happened('senders', 'answers go to the one that sent last');
  }

  #sampleAddress(nowMs: number): void {
    const { troubles } = this.#dependencies;
    const address = this.#listenAddress?.sample(nowMs);
    if (address === 'back') troubles.worked('machine', false);
    if (address === 'gone') troubles.happened('machine', 'it does not have this address any more');
  }
}
