/** Whether the program works, and whether a restart is due. */
export interface HealthAnswer<Health> {
  /** False answers 503: nothing is served any more, or the event loop stood still. Degraded alone stays 200. */
  readonly alive: boolean;
  readonly report: Health;
}

/** What the admin server reads of either program. Every call computes its result anew. */
export interface AdminSource<Health> {
  /** `ok` only while the sockets are bound and the event loop turns (conformance T3). */
  health(): HealthAnswer<Health>;
  /** Why new tunnels would not be accepted now, each for people; empty when they would. */
  notReadyReasons(): readonly string[];
}
