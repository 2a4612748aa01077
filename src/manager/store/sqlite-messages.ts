import type { LoopPulse } from '../../lib/loop-pulse.ts';

export interface ThreadData {
  readonly path: string;
  /** Of the loop that the thread watches as well; null leaves that to others. */
  readonly loopPulse: LoopPulse | null;
}

/** What crosses between the program and the thread that owns the database file. */
export type ToThread =
  | { readonly kind: 'query'; readonly id: number; readonly sql: string; readonly parameters: readonly unknown[] }
  /** A copy of the whole database while it is in use. */
  | { readonly kind: 'backup'; readonly id: number; readonly path: string }
  | { readonly kind: 'close'; readonly id: number };

export type FromThread =
  | { readonly id: number; readonly rows: readonly unknown[]; readonly changes: number }
  | { readonly id: number; readonly error: string };
