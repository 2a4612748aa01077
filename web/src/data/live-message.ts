/** What the manager sends over `/ws/dashboard`. */
export interface LiveMessage {
  readonly type: 'snapshot' | 'delta' | 'tick';
  readonly topic?: string;
  readonly items?: readonly unknown[];
  readonly removed?: readonly string[];
}
