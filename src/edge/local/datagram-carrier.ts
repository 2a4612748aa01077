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
    const relay = activeRelay();
    if (relay === null) {
      counters.dropped('no_relay');
      return;
    }
    const result = relay.sendDatagram(cipher.sealDatagram(payload));
    switch (result) {
      case 'queue_full':
        // This one is on its way; an older one, counted as sent before, is not any more.
        counters.dropped('queue_full');
        counters.datagramSent(payload.length);
        break;
      case 'queued':
        counters.datagramSent(payload.length);
        break;
      case 'too_large':
        counters.dropped('too_large');
        break;
      case 'closed':
        counters.dropped('no_relay');
        break;
    }
  }

  /** The payload of a datagram from a relay; null, and counted, when it is not ours or not sealed with our key. */
  open(datagram: Uint8Array): Uint8Array | null {
    const { cipher, counters } = this.#dependencies;
    if (!hasPrefix(datagram, this.#prefix)) {
      counters.dropped('wrong_tunnel');
      return null;
    }
    const payload = cipher.openDatagram(datagram);
    if (payload === null) counters.decryptError();
    return payload;
  }
}
