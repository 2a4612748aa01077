/** Golden vectors of docs/protocol/tunnel.md §4, §5 and §6, as existing edges and relays produce them. */

export const vectorTunnel = {
  id: '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f',
  bytesHex: '6f1d2c3b4a594e6887779a8b7c6d5e4f',
} as const;

export const bindVector = {
  secret: '00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f',
  challenge: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
  token: {
    ingress: 'a9765bb4247200b05a20bf4b703414d2f5ef3c2b1c2113ac6d6f49d308f1290f',
    egress: '6b24da1855e1c6f21c96f305eb9a0899d976cfa7759a7e4ec6fc5e4f0b732f08',
  },
  proof: {
    ingress: '5f77cf39b517283e4584039d364ca2263e2f046fe45fa703a714528c57fccdf6',
    egress: 'bcf811eee95219a803d2a38b39dbbc3395102dcd41e32559931480430e6c66d8',
  },
} as const;

/** End-to-end encryption: ChaCha20-Poly1305, empty AAD. */
export const sealVector = {
  keyHex: '0123456789abcdef'.repeat(4),
  nonceHex: '000102030405060708090a0b',
  plaintext: 'hello tunnel',
  sealedHex: '000102030405060708090a0b85a15caa0bac1e820d381e118cb87ee3678811b80583f59da1a6f91e',
  datagramHex:
    '6f1d2c3b4a594e6887779a8b7c6d5e4f000102030405060708090a0b85a15caa0bac1e820d381e118cb87ee3678811b80583f59da1a6f91e',
  tcpChunkHex: '00000028000102030405060708090a0b85a15caa0bac1e820d381e118cb87ee3678811b80583f59da1a6f91e',
} as const;

/** Whole frames: the length prefix in hex, then the JSON text. */
export const frameVectors = {
  hello: { prefixHex: '00000042', json: '{"type":"hello","protocol_version":2,"software_version":"0.106.0"}' },
  identify: { prefixHex: '0000002d', json: '{"type":"identify","edge_id":"edge-sydney-1"}' },
  ping: { prefixHex: '0000000f', json: '{"type":"ping"}' },
  tunnelWaiting: {
    prefixHex: '0000004c',
    json: '{"type":"tunnel_waiting","tunnel_id":"6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f"}',
  },
  streamHeader: {
    prefixHex: '00000048',
    json: '{"tunnel_id":"6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f","stream_type":"tcp"}',
  },
} as const;

/** A frame vector as the bytes on the wire. */
export function frameBytes(vector: { readonly prefixHex: string; readonly json: string }): Buffer {
  return Buffer.concat([Buffer.from(vector.prefixHex, 'hex'), Buffer.from(vector.json)]);
}
