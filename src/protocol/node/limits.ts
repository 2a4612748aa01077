/** Numbers of the contract between a node and its manager; sizes in bytes, times in milliseconds. */

/** The version of the manager protocol that a node announces in `auth`. */
export const NODE_PROTOCOL_VERSION = 1;

/** Existing managers never send more; longer frames are refused before they are parsed. */
export const MAX_NODE_FRAME_BYTES = 5 * 1_048_576;

/** Where a stats frame is cut to its busiest tunnels, so that it stays under the frame cap with room for the rest. */
export const MAX_STATS_FRAME_BYTES = 4 * 1_048_576;

/** Longest node id or secret that a node stores: it goes into a config file and into every auth frame. */
export const MAX_CREDENTIAL_CHARS = 4096;

/** Longest name of a tunnel that a relay keeps; managers allow as much. */
export const MAX_TUNNEL_NAME_CHARS = 256;

/** For the manager's answer to `auth`, and for a command to be acknowledged. */
export const NODE_ANSWER_DEADLINE_MS = 10_000;

/** For the config that a manager asks for: people wait for it. */
export const CONFIG_RESPONSE_DEADLINE_MS = 3_000;
