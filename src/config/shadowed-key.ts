import type { ConfigProblem } from './config-problem.ts';

/** A warning about an older key whose list is there too: the list wins, as in field programs, which write both. */
export function shadowedKey(alias: string, key: string): ConfigProblem {
  return { path: alias, problem: `has no effect beside ${key}`, remedy: 'remove it' };
}
