import { hasPrefix } from '../../protocol/tunnel/datagram.ts';
import type { LocalEndDependencies } from './local-end.ts';

/** Carries the datagrams of one UDP tunnel between its local socket and whichever relay is in use; runs per packet. */
export class DatagramCarrier {
  readonly #dependencies: LocalEndDependencies;
  readonly #prefix: Uint8Array;

  /** `prefix`: the tunnel id's 16 bytes. */
  constructor(dependencies: LocalEndDependencies, prefix: Uint8Array) {
    this.#dependencies = dependencies;
    this.#prefix = prefix;
  }

  /** Seals what a local program sent and gives it to the relay; counts it as sent or dropped. */
  send(payload: Uint8Array): void {
    const { activeRelay, cipher, counters } = this.#dependencies;
    counters.datagramOffered();
    const relay = activeRelay();
    if (relay === null) counters.notSent('no_relay');
    else relay.sendDatagram(cipher.sealDatagram(payload), counters.ledger);
  }

  /** The payload of a datagram from a relay; null, and counted, when it is not ours or not sealed with our key. */
  open(datagram: Uint8Array): Uint8Array | null {
    const { cipher, counters } = this.#dependencies;
    counters.datagramArrived();
    if (!hasPrefix(datagram, this.#prefix)) {
      counters.notDelivered('wrong_tunnel');
      return null;
    }
    const payload = cipher.openDatagram(datagram);
    if (payload === null) counters.notDelivered('not_authentic');
    return payload;
  }
}
