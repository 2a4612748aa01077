import fc from 'fast-check';
import type { EdgeMessage, RelayMessage } from '../../../src/protocol/tunnel/control-message.ts';
import { DIRECTIONS, TUNNEL_PROTOCOLS } from '../../../src/protocol/tunnel/leg.ts';
import { tunnelIdFromBytes, type TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';

/** Any tunnel id, made from 16 bytes. */
export const tunnelIds: fc.Arbitrary<TunnelId> = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
  const id = tunnelIdFromBytes(bytes);
  if (id === null) throw new Error('16 bytes always make a tunnel id');
  return id;
});

export const directions = fc.constantFrom(...DIRECTIONS);
const tunnelProtocols = fc.constantFrom(...TUNNEL_PROTOCOLS);
export const hex64 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));

const u32 = fc.nat({ max: 0xffff_ffff });
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const features = fc.array(text, { maxLength: 8 });

/** Every message an edge may send, within the limits of the contract. */
export const edgeMessages: fc.Arbitrary<EdgeMessage> = fc.oneof(
  fc.record({ type: fc.constant('hello' as const), protocol_version: u32, software_version: text, features }),
  fc.record({ type: fc.constant('identify' as const), edge_id: fc.string({ minLength: 1, maxLength: 64 }) }),
  fc.record(
    {
      type: fc.constant('tunnel_bind' as const),
      tunnel_id: tunnelIds,
      direction: directions,
      protocol: tunnelProtocols,
      bind_token: hex64,
      bind_proof: hex64,
    },
    { requiredKeys: ['type', 'tunnel_id', 'direction', 'protocol'] },
  ),
  fc.record({ type: fc.constant('tunnel_unbind' as const), tunnel_id: tunnelIds }),
  fc.record({ type: fc.constant('ping' as const) }),
);

/** Every message a relay may send, within the limits of the contract. */
export const relayMessages: fc.Arbitrary<RelayMessage> = fc.oneof(
  fc.record(
    {
      type: fc.constant('hello_ack' as const),
      protocol_version: u32,
      software_version: text,
      features,
      bind_challenge: hex64,
    },
    { requiredKeys: ['type', 'protocol_version', 'software_version', 'features'] },
  ),
  fc.record({ type: fc.constantFrom('tunnel_ready' as const, 'tunnel_waiting' as const), tunnel_id: tunnelIds }),
  fc.record({ type: fc.constant('tunnel_down' as const), tunnel_id: tunnelIds, reason: text }),
  fc.record({ type: fc.constant('pong' as const) }),
);

/** JSON values with the shape of a message or command: right names, any values. */
export const mangledObjects = (names: readonly string[], types: readonly string[]): fc.Arbitrary<object> =>
  fc
    .tuple(
      fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 2 })),
      fc.oneof(fc.constantFrom(...types), fc.jsonValue({ maxDepth: 1 })),
    )
    .map(([fields, type]) => ({ ...fields, type }));

/** The bytes cut into pieces at random places; joined they are the bytes again. */
export function cuts(bytes: Uint8Array): fc.Arbitrary<Uint8Array[]> {
  return fc.array(fc.nat({ max: bytes.length }), { maxLength: 12 }).map((at) => {
    const edges = [0, ...at.sort((a, b) => a - b), bytes.length];
    return edges.slice(1).map((end, i) => bytes.subarray(edges[i], end));
  });
}
