/** Where a command prints its results, so that tests read it. Everything else goes to standard error. */
export interface Terminal {
  out(text: string): void;
  /** How many columns a line has; not there when the results go to a file or another program. */
  width?(): number;
  /** The exit status of a command that did not fail but must not end with 0. */
  exitWith?(status: number): void;
}

/** For text that holds words of peers, such as the name an edge gives itself: they must not steer the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{C}\n]/gu, '\uFFFD');
}
