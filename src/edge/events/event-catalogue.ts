import type { EventCategory, EventSeverity } from '../../protocol/node/node-event.ts';

/** One event that an edge raises, for people. */
export interface CatalogueRow {
  readonly category: EventCategory;
  readonly severity: EventSeverity;
  /** The exact text; `{x}` stands for a value. */
  readonly message: string;
  /** When it is raised. */
  readonly means: string;
  /** What an operator does. */
  readonly remedy: string;
}

type Row = readonly [severity: EventSeverity, message: string, means: string, remedy: string];

const none = 'nothing';

const byCategory: Readonly<Partial<Record<EventCategory, readonly Row[]>>> = {
  flow: [
    ['info', "Flow '{id}' started", 'every socket is bound, and the input and all outputs run', none],
    ['info', "Flow '{id}' stopped", 'by a command, a change of the config, or the end of the program', none],
    [
      'critical',
      "Flow '{id}' failed to start: {error}",
      'an address could not be had, or an output could not start; nothing of it runs',
      'free the address that the error names, or choose another one',
    ],
    [
      'critical',
      'Flow input lost: {error}',
      'a running input died: its socket, or the media worker',
      'none at first, the flow starts again by itself; if it comes again, send the log',
    ],
    ['info', "Output '{id}' added to flow '{flow_id}'", 'while the flow runs', none],
    ['info', "Output '{id}' removed from flow '{flow_id}'", 'while the flow runs', none],
    [
      'warning',
      "Output '{id}' failed to start on flow '{flow_id}': {error}",
      'the flow and its other outputs go on',
      'free the address that the error names, or choose another one',
    ],
  ],
  srt: [
    ['info', 'SRT input connected (mode=listener)', 'a caller was let in', none],
    ['info', 'SRT input connected (mode={mode})', 'the input has reached its server', none],
    ['info', 'SRT input connected (mode=listener, redundant leg 1)', 'a caller was let in at that leg', none],
    [
      'warning',
      'SRT input disconnected, reconnecting',
      'the other end has closed, or was silent for peer_idle_timeout_secs; reason says which',
      'look at the encoder',
    ],
    [
      'critical',
      'SRT input connection failed: {error}',
      'the first failed attempt of a caller; at a listener a caller that was refused, at most once a minute',
      'compare the passphrases; check the address and the firewall',
    ],
    ['info', "SRT output '{id}' connected", 'the server was reached, or a viewer was let in', none],
    ['warning', "SRT output '{id}' disconnected", 'the receiver has closed or fell silent', 'look at the receiver'],
    [
      'warning',
      "SRT output '{id}' stale connection detected",
      'data went out for three seconds and nothing was acknowledged; the connection is made anew',
      'look at the receiver, which may be gone, and at the way back from it: packets may pass in one direction only',
    ],
    [
      'critical',
      "SRT output '{id}' connection failed: {error}",
      'the first failed attempt of a caller, or a viewer that was refused',
      'compare the passphrases; check the address and the firewall',
    ],
  ],
  redundancy: [
    [
      'warning',
      'Redundant leg 1 lost',
      'it delivers nothing while the other leg does',
      'mend its path before the other one fails',
    ],
    [
      'warning',
      'Redundant leg 2 lost',
      'it delivers nothing while the other leg does',
      'mend its path before the other one fails',
    ],
    ['critical', 'Both redundant legs lost', 'neither leg has delivered anything for a second', 'look at the source'],
  ],
  rtmp: [
    ['info', 'RTMP publisher connected', 'its first picture or sound has come', none],
    [
      'warning',
      'RTMP publisher disconnected',
      'it has stopped, or sent nothing for stall_timeout_secs (10)',
      'look at the encoder',
    ],
    [
      'critical',
      'RTMP server error: {error}',
      'connections cannot be taken: all are in use, or the system refuses them',
      'end what holds connections to the port and does not publish; look for a limit of open files',
    ],
  ],
  rtsp: [
    ['info', 'RTSP connected to {url}', 'the camera plays', none],
    [
      'warning',
      'RTSP input disconnected: {error}. Reconnecting in {n}s',
      'the stream was lost, or the first attempt failed; once for each connection',
      'check the address, the user and the password, and whether the camera runs',
    ],
  ],
  hls: [
    [
      'warning',
      'HLS segment upload failed: {error}',
      'the first of a run of failed segments; the playlist marks them as gaps',
      'look at the server that takes the segments',
    ],
    [
      'critical',
      'HLS output failed: {error}',
      'ten segments in a row failed, the server refuses for good, or the source has no key frames',
      'check ingest_url and auth_token; set the encoder to a key frame every two seconds',
    ],
  ],
  webrtc: [
    ['info', 'WHIP publisher connected', 'its media can come: ICE and DTLS are complete', none],
    [
      'info',
      'WHIP publisher disconnected',
      'it has ended the session, or was silent for ten seconds',
      'look at the publisher',
    ],
    ['info', 'WHEP connected', 'the input plays from its server', none],
    [
      'info',
      'WHEP disconnected',
      'the server has ended the session, or was silent for ten seconds',
      'look at the server',
    ],
    ['info', 'WHEP viewer connected', 'media can go to it: ICE and DTLS are complete', none],
    ['info', 'WHEP viewer disconnected', 'the viewer has left, or was silent for ten seconds', none],
    [
      'warning',
      'WebRTC session failed: {error}',
      'of an input: a bad offer, no path for UDP within ten seconds, no H.264',
      'let UDP in, set public_ip behind a NAT; at the publisher choose H.264',
    ],
    [
      'warning',
      'WebRTC session creation failed: {error}',
      'of an output: the same; or the stream has B-frames, or all places for viewers are taken',
      'turn B-frames off in the encoder; raise max_viewers; let UDP in',
    ],
  ],
  tunnel: [
    ['info', "Tunnel '{name}' started", 'it dials its relays', none],
    ['info', "Tunnel '{name}' stopped", 'by a command, a change of the config, or the end of the program', none],
    ['info', 'Tunnel connected to relay', 'the relay holds our leg', none],
    [
      'warning',
      'Tunnel disconnected from relay: {reason}',
      'the connection was lost; the tunnel goes on over its other relay, and dials this one again',
      'look at the relay and the uplink',
    ],
    [
      'warning',
      'Tunnel peer disconnected: {reason}',
      'the relay says that the other edge has left',
      'look at the other edge',
    ],
    [
      'warning',
      'Tunnel connection to relay failed: {error}',
      'the first failed attempt; once until the edge has connected again',
      'check the address of the relay, and that UDP to its port is let through',
    ],
    [
      'critical',
      "Tunnel '{name}' failed: {error}",
      'its local address cannot be had',
      'free it, or choose another local_addr',
    ],
    [
      'critical',
      'Tunnel bind rejected by relay: {reason}',
      'the relay does not let this edge hold the leg',
      'compare tunnel_bind_secret with the authorisation at the relay',
    ],
  ],
  manager: [
    ['info', 'Connected to manager', 'the manager has let this node in', none],
    [
      'warning',
      'Manager connection lost, reconnecting',
      'the link has ended; what runs goes on',
      'look at the manager',
    ],
    [
      'critical',
      'Manager authentication failed: {reason}',
      'the manager does not know this node',
      'make a new registration token',
    ],
  ],
  config: [
    ['info', 'Configuration updated', 'a command of the manager is in force and on disk', none],
    [
      'warning',
      'Failed to persist configuration: {error}',
      'a change could not be written, and was not made',
      'free disk space, or mend the permissions of the config file',
    ],
  ],
};

/** The events of an edge that managers of the field know: all 47. */
export const eventCatalogue: readonly CatalogueRow[] = Object.entries(byCategory).flatMap(([category, rows]) =>
  rows.map(([severity, message, means, remedy]) => {
    return { category: category as EventCategory, severity, message, means, remedy };
  }),
);
