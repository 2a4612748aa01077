import type { Situation } from './situation.ts';
import { situationsOfBinds } from './situations-of-binds.ts';
import { situationsOfEnds } from './situations-of-ends.ts';
import { situationsOfPaths } from './situations-of-paths.ts';
import { situationsOfPrograms } from './situations-of-programs.ts';
import { situationsOfReach } from './situations-of-reach.ts';

/** What operators meet, in the order of the page (docs/why.md). */
export const situations: readonly Situation[] = [
  ...situationsOfBinds,
  ...situationsOfReach,
  ...situationsOfPaths,
  ...situationsOfEnds,
  ...situationsOfPrograms,
];
