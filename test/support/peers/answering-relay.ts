import { RelayConnection } from '../../../src/edge/uplink/relay-connection.ts';
import { TUNNEL_ID_BYTES } from '../../../src/protocol/tunnel/limits.ts';
import type { DatagramSendResult, Ledger } from '../../../src/quic/types.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryLedger } from '../fakes/memory-ledger.ts';
import { silentLogger } from '../fakes/silent-logger.ts';
import { plainBinding } from '../samples/plain-binding.ts';

/** A relay connection that answers each datagram alike. */
export class AnsweringRelay extends RelayConnection {
  readonly #answer: DatagramSendResult;

  constructor(answer: DatagramSendResult) {
    const ignore = (): void => {};
    const observer = {
      onBound: ignore,
      onPeerGone: ignore,
      onPeerTroubles: ignore,
      onReplaced: ignore,
      onTaken: ignore,
      onDataStream: ignore,
      onDatagram: ignore,
      onLateDatagram: ignore,
      onEnd: ignore,
    };
    super({ clock: new ManualClock(), logger: silentLogger, observer }, plainBinding, 'take');
    this.#answer = answer;
  }

  override sendDatagram(datagram: Uint8Array, ledger: Ledger | null): DatagramSendResult {
    if (ledger instanceof MemoryLedger) this.#count(datagram.length - TUNNEL_ID_BYTES, ledger);
    return this.#answer;
  }

  #count(payloadBytes: number, ledger: MemoryLedger): void {
    ledger.datagramIn(payloadBytes);
    if (this.#answer === 'too_large') ledger.drop('too_large');
    else if (this.#answer === 'closed') ledger.drop('closing');
    else ledger.datagramOut(payloadBytes);
  }
}
