/** Something about the machine that will hurt later, and how to mend it. */
export interface MachineProblem {
  readonly problem: string;
  readonly remedy: string;
}
