/**
 * Numbers of the wire contract that no config changes; sizes in bytes, times in milliseconds. Those of the relay's
 * own caps that an operator may tune are config with defaults, not here.
 */

/** The only application protocol of the relay; existing edges offer exactly this and nothing else. */
export const ALPN = 'bilbycast-relay';

/** What we announce in hello and hello_ack; on QUIC, version 1 differs in nothing. */
export const PROTOCOL_VERSION = 2;

/** Through the relay, edges send each other what is wrong at their ends: docs/protocol/tunnel.md §2.9. */
export const TUNNEL_TROUBLE = 'tunnel_trouble';

/** The features of §2.6, §2.9 and §5 that an edge's hello announces; old relays ignore the field. */
export const EDGE_FEATURES = ['peer_state', 'bind_proof', TUNNEL_TROUBLE] as const;

/** A bind that takes a leg only when no live edge holds it: docs/protocol/tunnel.md §2.7. */
export const IF_FREE = 'if_free';

/** The features that a relay's hello_ack announces; old edges ignore the field. */
export const RELAY_FEATURES = [...EDGE_FEATURES, IF_FREE] as const;

/** Where a relay listens by default, as edges in the field expect. */
export const DEFAULT_QUIC_PORT = 4433;

/** Where a relay's REST API listens by default. */
export const DEFAULT_API_PORT = 4480;

/** The big-endian u32 before every control frame, stream header and sealed chunk. */
export const LENGTH_PREFIX_BYTES = 4;

/** The contract's maximum; a peer that announces more has lost frame sync or is hostile, so its session ends. */
export const MAX_CONTROL_FRAME_BYTES = 1_048_576;

/** Nothing that is sent before a bind comes near this, so an unauthenticated peer gets no more memory than this. */
export const MAX_FRAME_BEFORE_BIND_BYTES = 16_384;

/** Room for a few pipelined frames (hello, identify, several binds) of a peer that has not proved anything yet. */
export const MAX_BUFFERED_BEFORE_BIND_BYTES = 65_536;

/** A header is 72 bytes today; the rest is room for later fields. */
export const MAX_STREAM_HEADER_BYTES = 1024;

/** How long a data stream may take to deliver its header before it is reset. */
export const STREAM_HEADER_DEADLINE_MS = 5_000;

/** Longer labels are ignored: they are stored per connection and repeated in every report. */
export const MAX_EDGE_ID_BYTES = 64;

/** A peer's free text (versions, reasons, names of unknown types) is cut to this before it is kept or logged. */
export const MAX_PEER_TEXT_CHARS = 256;

/** Kinds of trouble that an edge may report for one tunnel; there are two. The rest is room for later ones. */
export const MAX_TROUBLES = 8;

/** Features that a peer may announce; further ones are not kept, since each connection stores the list. */
export const MAX_FEATURES = 32;

/**
 * A raw UUID, the first bytes of every datagram. A datagram of only that is an empty payload and legal; a shorter one
 * belongs to no tunnel.
 */
export const TUNNEL_ID_BYTES = 16;

/** Sent by an edge, the first one right after ready. */
export const PING_INTERVAL_MS = 15_000;

/** How long our edge delays its bind for a challenge. Relays without one never send it. */
export const HELLO_ACK_WAIT_MS = 2_000;

/**
 * An edge whose leg is another one's asks this often whether it is free. With SIGN_OF_LIFE_MS for a dead holder, the
 * edge is back well within 10 s.
 */
export const CLAIM_INTERVAL_MS = 5_000;

/** After the last tunnel_down, the time in which an edge can read it before the connection is closed under it. */
export const REFUSAL_LINGER_MS = 500;

/**
 * How long the holder of a leg has to answer a PING when another edge claims the leg. QUIC repeats a lost PING after
 * about two round trips:
 * - up to 300 ms of round trip a live edge gets a second PING, over a satellite (700 ms) one;
 * - an edge that is refused after this wait does not notice the delay;
 * - three such waits fit the first bind's deadline.
 */
export const SIGN_OF_LIFE_MS = 1_000;

/** ChaCha20-Poly1305's nonce, sent before the ciphertext. */
export const SEAL_NONCE_BYTES = 12;

/** ChaCha20-Poly1305's tag, sent after the ciphertext. */
export const SEAL_TAG_BYTES = 16;

/** What sealing adds to a payload. */
export const SEAL_OVERHEAD_BYTES = SEAL_NONCE_BYTES + SEAL_TAG_BYTES;

/** Plaintext per sealed TCP chunk that a sender may use; existing edges read local sockets in pieces of this size. */
export const MAX_CHUNK_PLAINTEXT_BYTES = 8192;

/** What a receiver accepts as one sealed chunk, as existing edges do. */
export const MAX_SEALED_CHUNK_BYTES = 1_048_576;
