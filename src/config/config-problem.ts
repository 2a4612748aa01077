/** What is wrong at one place of a config file, and how to mend it. */
export interface ConfigProblem {
  /** `limits.max_tunnels`, `tunnels[2].id`; empty for the file as a whole. */
  readonly path: string;
  readonly problem: string;
  /** Empty when the problem implies it. */
  readonly remedy: string;
}

/** `path problem; remedy`, as one line. */
export function formatProblem({ path, problem, remedy }: ConfigProblem): string {
  const place = path === '' ? 'the config' : path;
  return `${place} ${problem}${remedy === '' ? '' : `; ${remedy}`}`;
}
