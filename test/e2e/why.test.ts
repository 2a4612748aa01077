import { describe, expect, it } from 'vitest';
import { canStartMachines } from '../support/network/other-machine.ts';
import { playSituation } from '../support/why/situation.ts';
import { situations } from '../support/why/situations.ts';

const hasRoot = canStartMachines();
/** The others take longer: `npm run long:why`. */
const quick = situations.filter(({ isQuick, needsRoot }) => isQuick && (hasRoot || needsRoot !== true));

describe('adit why, asked beside real programs, says first what is wrong and what to do, when', () => {
  it.each(quick)('$title', async (situation) => {
    const answers = await playSituation(situation);
    expect(answers.filter(({ isRight }) => !isRight)).toEqual([]);
  });
});
