/** Where a command prints its results, so that tests read it. Everything else goes to standard error. */
export interface Terminal {
  out(text: string): void;
}
