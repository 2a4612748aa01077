/** What the server under test says of itself since it was last asked. */
export interface ServerReport {
  readonly port: number;
  /** Statements that could change the database, since the start; null where that is not counted. */
  readonly writes: number | null;
  /** Of the event loop, 99 of 100. */
  readonly lagMs: number;
  /** Of the commits of events, 99 of 100; null without any. */
  readonly commitMs: number | null;
}

export type NodesQuestion =
  | { readonly kind: 'count' }
  /** So many events in all, spread over the nodes and the time; each is confirmed by a pong. */
  | { readonly kind: 'events'; readonly perSecond: number; readonly seconds: number }
  /** The server was killed: wait for the new one, then dial it with all nodes at once. */
  | { readonly kind: 'reconnect' };

export interface Counted {
  readonly open: number;
  /** Stats frames since the start. */
  readonly sent: number;
}

export interface EventsSent {
  readonly sent: number;
  /** From an event to the pong that says it is stored, 99 of 100. */
  readonly confirmedMs: number;
  /** From the first event to the last pong. */
  readonly tookMs: number;
}

export interface Connected {
  readonly connectedMs: number;
}
