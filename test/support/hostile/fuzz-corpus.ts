import { encodeEdgeMessage } from '../../../src/protocol/tunnel/control-message.ts';
import { encodeStreamHeader } from '../../../src/protocol/tunnel/stream-header.ts';
import { tunnelIdToBytes, type TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';
import { bindVector, frameBytes, frameVectors } from '../samples/vectors.ts';
import { frames } from './quic-frames.ts';

/** What edges in the field say on their control stream, whole frames. */
export function controlFrames(tunnelId: TunnelId): Buffer[] {
  return [
    frameBytes(frameVectors.hello),
    frameBytes(frameVectors.identify),
    frameBytes(frameVectors.ping),
    encodeEdgeMessage({ type: 'hello', protocol_version: 2, software_version: '1', features: ['peer_state'] }),
    encodeEdgeMessage({
      type: 'tunnel_bind',
      tunnel_id: tunnelId,
      direction: 'egress',
      protocol: 'tcp',
      bind_token: bindVector.token.egress,
    }),
    encodeEdgeMessage({
      type: 'tunnel_bind',
      tunnel_id: tunnelId,
      direction: 'ingress',
      protocol: 'udp',
      bind_proof: bindVector.proof.ingress,
    }),
    encodeEdgeMessage({ type: 'tunnel_unbind', tunnel_id: tunnelId }),
  ];
}

export function streamHeaders(tunnelId: TunnelId): Buffer[] {
  return [
    encodeStreamHeader(tunnelId),
    frameBytes(frameVectors.streamHeader),
    Buffer.concat([encodeStreamHeader(tunnelId), Buffer.from('and data after it')]),
  ];
}

export function datagrams(tunnelId: TunnelId): Buffer[] {
  const prefix = Buffer.from(tunnelIdToBytes(tunnelId));
  return [prefix, Buffer.concat([prefix, Buffer.alloc(1200, 7)]), Buffer.from('short')];
}

/** A frame of each kind that a client may send, and some that it may not. */
export function quicFrames(): Buffer[] {
  const bytes = Buffer.alloc(40, 3);
  return [
    frames.ping(),
    frames.ack(0, 3),
    frames.resetStream(0, 5, 0),
    frames.stopSending(0, 7),
    frames.crypto(0, bytes),
    frames.newToken(bytes),
    frames.stream(0, 0, bytes),
    frames.stream(400, 2 ** 32, bytes, true),
    frames.maxData(2 ** 40),
    frames.maxStreamData(0, 2 ** 40),
    frames.maxStreamsBidi(2 ** 20),
    frames.streamDataBlocked(0, 9),
    frames.newConnectionId(1, 0, bytes.subarray(0, 16)),
    frames.retireConnectionId(0),
    frames.pathChallenge(bytes.subarray(0, 8)),
    frames.pathResponse(bytes.subarray(0, 8)),
    frames.connectionClose(1, 'because'),
    frames.handshakeDone(),
    frames.datagram(bytes),
    frames.padding(20),
  ];
}
