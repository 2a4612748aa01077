/** Somewhere that structured log lines go. Calls do not overlap: the next write waits for the one before. */
export interface LogTarget {
  /** One line without its end. Rejects when it could not be handed over; the line is then lost. */
  write(line: string): Promise<void>;
  /** Idempotent. What was written before is handed over. */
  close(): Promise<void>;
}
