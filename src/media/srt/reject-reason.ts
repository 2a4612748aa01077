/** Why a handshake was refused (draft-sharabayko-srt-01 §4.3, table 7); 1000 is added on the wire. */
export const rejectReason = {
  unknown: 0,
  system: 1,
  peer: 2,
  resource: 3,
  rogue: 4,
  backlog: 5,
  internal: 6,
  close: 7,
  version: 8,
  rendezvousCookie: 9,
  badSecret: 10,
  unsecure: 11,
  messageApi: 12,
  congestion: 13,
  filter: 14,
  group: 15,
  timeout: 16,
  crypto: 17,
  /** An access control code of libsrt (docs/features/access-control): the stream id is not welcome. */
  forbidden: 1403,
} as const;

const words: Readonly<Record<number, string>> = {
  0: 'no reason given',
  1: 'a system error at the peer',
  2: 'the peer refused the connection',
  3: 'the peer has no resources left',
  4: 'the handshake was not understood',
  5: 'the peer has too many connections waiting',
  6: 'an internal error at the peer',
  7: 'the peer is closing',
  8: 'the SRT versions do not fit',
  9: 'the rendezvous cookies collided',
  10: 'the passphrase is wrong',
  11: 'a passphrase is required by one side only',
  12: 'one side wants a stream, the other messages',
  13: 'the congestion control does not fit',
  14: 'the packet filter does not fit',
  15: 'the bonding group does not fit',
  16: 'no answer in time',
  17: 'the cryptographic modes do not fit',
  1400: 'the stream id is malformed',
  1401: 'the stream id is not authorised',
  1402: 'the server is overloaded',
  1403: 'the stream id is refused',
  1404: 'the stream id is not known',
};

/** In words, for people. */
export function describeReject(reason: number): string {
  return words[reason] ?? `the peer gave reason ${reason}`;
}
