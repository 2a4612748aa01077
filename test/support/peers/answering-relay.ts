import { RelayConnection } from '../../../src/edge/uplink/relay-connection.ts';
import type { DatagramSendResult } from '../../../src/quic/types.ts';
import { knownTunnelId } from '../samples/known-tunnel-id.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { silentLogger } from '../fakes/silent-logger.ts';
import { vectorTunnel } from '../samples/vectors.ts';

/** A relay connection that answers each datagram alike. */
export class AnsweringRelay extends RelayConnection {
  readonly #answer: DatagramSendResult;

  constructor(answer: DatagramSendResult) {
    const ignore = (): void => {};
    const observer = {
      onBound: ignore,
      onPeerGone: ignore,
      onReplaced: ignore,
      onDataStream: ignore,
      onDatagram: ignore,
      onEnd: ignore,
    };
    super(
      { clock: new ManualClock(), logger: silentLogger, observer },
      {
        tunnelId: knownTunnelId(vectorTunnel.id),
        direction: 'egress',
        protocol: 'udp',
        bindSecret: null,
        requireBindProof: false,
        edgeId: 'edge-1',
        softwareVersion: '0.1.0',
      },
    );
    this.#answer = answer;
  }

  override sendDatagram(): DatagramSendResult {
    return this.#answer;
  }
}
