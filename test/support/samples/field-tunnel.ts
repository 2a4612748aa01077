import { bindVector, sealVector, vectorTunnel } from './vectors.ts';

/** A tunnel as it stands in the config of an edge, with two relays. */
export const fieldTunnel = {
  id: vectorTunnel.id,
  name: 'camera 1',
  protocol: 'udp',
  direction: 'egress',
  local_addr: '127.0.0.1:5000',
  relay_addrs: ['relay-a.example.com:4433', '192.0.2.9:4433'],
  tunnel_encryption_key: sealVector.keyHex,
  tunnel_bind_secret: bindVector.secret,
};
